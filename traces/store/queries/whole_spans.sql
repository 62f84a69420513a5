-- Rows of a project's spans as they are stored, all columns, to be written again.
SELECT *
FROM spans
WHERE project_id = {project_id:UUID}
  AND bucket_time >= toDateTime({since:Int64}, 'UTC') AND bucket_time < toDateTime({until:Int64}, 'UTC')
  AND (trace_id, span_id, version) IN (
      SELECT toFixedString(unhex(key.1), 16), toFixedString(unhex(key.2), 8), key.3
      FROM (SELECT arrayJoin(arrayZip(
          {trace_ids:Array(String)}, {span_ids:Array(String)}, {versions:Array(UInt64)})) AS key)
  )
LIMIT 1 BY trace_id, span_id
