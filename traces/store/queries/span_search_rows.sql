-- Spans by their keys, of each the newest version, with what stands around a searched word. Where that
-- is an error (span_search_errors), `field` is empty: each column costs as much as finding the spans.
SELECT
    trace_id, span_id, version, name, kind, status, start_ns,
    multiIf(
        positionUTF8(lowerUTF8(name), {shown:String}) > 0, 'name',
        positionUTF8(lowerUTF8(input), {shown:String}) > 0, 'input',
        positionUTF8(lowerUTF8(output), {shown:String}) > 0, 'output',
        '') AS field,
    multiIf(field = 'name', name, field = 'input', input, field = 'output', output, '') AS said,
    toInt64(positionUTF8(lowerUTF8(said), {shown:String})) AS found_at,
    substringUTF8(said, greatest(1, found_at - 80), 240) AS snippet,
    found_at > 81 AS is_cut_before,
    lengthUTF8(said) > greatest(1, found_at - 80) + 239 AS is_cut_after
FROM
(
    SELECT
        trace_id, span_id, version, name, kind, status, start_ns, input, output
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
