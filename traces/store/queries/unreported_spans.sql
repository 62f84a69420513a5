-- Of a few traces of one project what decides whose usage is to be estimated: no content but its length.
SELECT
    trace_id, span_id, parent_span_id, version, toUnixTimestamp(bucket_time) AS bucket, kind, status, end_ns,
    has_usage, is_estimated,
    coalesce(reported_cost_usd, computed_cost_usd) AS cost_usd,
    length(input) AS input_bytes, length(output) AS output_bytes
FROM spans
WHERE project_id = {project_id:UUID}
  AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
  AND toStartOfHour(bucket_time) >= (
      SELECT min(toStartOfHour(first_bucket)) FROM trace_index
      WHERE project_id = {project_id:UUID}
        AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
  )
ORDER BY version DESC
LIMIT 1 BY trace_id, span_id
LIMIT {limit:UInt32}
