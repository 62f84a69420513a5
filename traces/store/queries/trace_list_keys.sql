-- Keys of settled traces that may be on a page, the latest first: rows of any generation that match.
-- Only what is filtered and ordered by is read; whoever asks checks which generation is the newest.
SELECT toUnixTimestamp(bucket_hour) AS hour, trace_id, generation, start_ns
FROM traces
WHERE project_id = {project_id:UUID}
  AND bucket_hour >= toDateTime(greatest({since:Int64} - 86400, 0), 'UTC')
  AND start_ns >= {since_ns:UInt64} AND start_ns < {until_ns:UInt64}
  AND (start_ns, trace_id) < ({before_ns:UInt64}, toFixedString(unhex({before_id:String}), 16))
  AND (is_evaluation = 0 OR {include_evaluations:Bool})
  {filter}
ORDER BY start_ns DESC, trace_id DESC, generation DESC
LIMIT {candidates:UInt32}
