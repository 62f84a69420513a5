-- How many different spans of one request the engine holds.
SELECT uniqExact(trace_id, span_id) AS spans
FROM spans
WHERE project_id = {project_id:UUID}
  AND bucket_time >= toDateTime({since:UInt32}, 'UTC')
  AND bucket_time <= toDateTime({until:UInt32}, 'UTC')
  AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
  AND received_ns = {received_ns:UInt64}
