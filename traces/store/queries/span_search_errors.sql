-- Of spans whose name and content do not hold a searched word, what stands around it in their error.
SELECT
    trace_id, span_id, version,
    if(positionUTF8(lowerUTF8(error_message), {shown:String}) > 0, 'error_message', 'status_message') AS field,
    if(field = 'error_message', error_message, status_message) AS said,
    toInt64(positionUTF8(lowerUTF8(said), {shown:String})) AS found_at,
    substringUTF8(said, greatest(1, found_at - 80), 240) AS snippet,
    found_at > 81 AS is_cut_before,
    lengthUTF8(said) > greatest(1, found_at - 80) + 239 AS is_cut_after
FROM
(
    SELECT
        trace_id, span_id, version, error_message, status_message
    FROM spans
    WHERE project_id = {project_id:UUID}
      AND (toStartOfHour(bucket_time), trace_id, span_id) IN (
          SELECT toStartOfHour(toDateTime(key.1, 'UTC')), toFixedString(unhex(key.2), 16), toFixedString(unhex(key.3), 8)
          FROM (
              SELECT arrayJoin(arrayZip(
                  {buckets:Array(Int64)}, {trace_ids:Array(String)}, {span_ids:Array(String)})) AS key
          )
      )
    ORDER BY version DESC
    LIMIT 1 BY trace_id, span_id
)
LIMIT {limit:UInt32}
