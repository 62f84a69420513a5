-- All projects: content of single spans for previews, where none was kept beside it.
SELECT toString(project_id) AS project, trace_id, span_id,
    substringUTF8(argMax(input, version), 1, if(any(is_local_root), 32768, 2000)) AS input,
    substringUTF8(argMax(output, version), 1, if(any(is_local_root), 32768, 2000)) AS output
FROM spans
WHERE stored_at >= {first_stored_at:DateTime64(3, 'UTC')}
  AND bucket_time >= toDateTime({first_bucket:Int64}, 'UTC') AND bucket_time <= toDateTime({last_bucket:Int64}, 'UTC')
  AND (project_id, trace_id, span_id) IN (
      SELECT toUUID(one.1), toFixedString(unhex(one.2), 16), toFixedString(unhex(one.3), 8)
      FROM (SELECT arrayJoin(arrayZip(
          {project_ids:Array(String)}, {trace_ids:Array(String)}, {span_ids:Array(String)})) AS one)
  )
GROUP BY project_id, trace_id, span_id
