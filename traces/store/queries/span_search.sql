-- Spans whose texts hold what is searched, the latest first: candidates by any version of a span, then
-- the newest version of each must hold it. The text is the expression of the `text` index, word for word.
SELECT
    trace_id, span_id, name, kind, status, start_ns, end_ns, model, agent_name, tool_name,
    toUnixTimestamp(bucket_time) AS bucket,
    multiIf(
        positionUTF8(lowerUTF8(name), {shown:String}) > 0, 'name',
        positionUTF8(lowerUTF8(input), {shown:String}) > 0, 'input',
        positionUTF8(lowerUTF8(output), {shown:String}) > 0, 'output',
        positionUTF8(lowerUTF8(error_message), {shown:String}) > 0, 'error_message',
        'status_message') AS field,
    multiIf(field = 'name', name, field = 'input', input, field = 'output', output,
        field = 'error_message', error_message, status_message) AS said,
    toInt64(positionUTF8(lowerUTF8(said), {shown:String})) AS found_at,
    substringUTF8(said, greatest(1, found_at - 80), 240) AS snippet,
    found_at > 81 AS is_cut_before,
    lengthUTF8(said) > greatest(1, found_at - 80) + 239 AS is_cut_after
FROM
(
    SELECT *
    FROM spans
    WHERE project_id = {project_id:UUID}
      AND bucket_time >= toDateTime({since:Int64}, 'UTC') AND bucket_time < toDateTime({until:Int64}, 'UTC')
      AND (toStartOfHour(bucket_time), trace_id, span_id) IN (
          SELECT toStartOfHour(bucket_time), trace_id, span_id
          FROM spans
          WHERE project_id = {project_id:UUID}
            AND bucket_time >= toDateTime({since:Int64}, 'UTC') AND bucket_time < toDateTime({until:Int64}, 'UTC')
            AND (toUnixTimestamp(bucket_time), trace_id, span_id) < ({before:Int64},
                toFixedString(unhex({before_trace:String}), 16), toFixedString(unhex({before_span:String}), 8))
            {filter}
          ORDER BY bucket_time DESC, trace_id DESC, span_id DESC
          LIMIT 1 BY trace_id, span_id
          LIMIT {candidates:UInt32}
      )
    ORDER BY version DESC
    LIMIT 1 BY trace_id, span_id
)
WHERE (is_evaluation = 0 OR {include_evaluations:Bool})
  {filter}
ORDER BY bucket_time DESC, trace_id DESC, span_id DESC
LIMIT {limit:UInt32}
