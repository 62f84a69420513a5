-- Keys of spans that hold what is searched, the latest first: rows of any version that match. The
-- searched text is the expression of the text index, word for word.
SELECT toUnixTimestamp(bucket_time) AS bucket, trace_id, span_id, version
FROM spans
WHERE project_id = {project_id:UUID}
  AND bucket_time >= toDateTime({since:Int64}, 'UTC') AND bucket_time < toDateTime({until:Int64}, 'UTC')
  AND (toUnixTimestamp(bucket_time), trace_id, span_id) < ({before:Int64},
      toFixedString(unhex({before_trace:String}), 16), toFixedString(unhex({before_span:String}), 8))
  -- one span marks its whole trace
  AND ({include_evaluations:Bool} OR trace_id NOT IN (
      SELECT trace_id FROM trace_index WHERE project_id = {project_id:UUID} AND is_evaluation = 1))
  {filter}
ORDER BY bucket_time DESC, trace_id DESC, span_id DESC, version DESC
LIMIT {limit:UInt32}
