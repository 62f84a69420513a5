-- All projects: how many spans each of a list of traces has, to read them in bounded portions.
SELECT project_id, trace_id, uniqExact(span_id) AS spans
FROM spans
WHERE bucket_time >= toDateTime({first_bucket:Int64}, 'UTC') AND bucket_time <= toDateTime({last_bucket:Int64}, 'UTC')
  AND (project_id, trace_id) IN (
      SELECT toUUID(pair.1), toFixedString(unhex(pair.2), 16)
      FROM (SELECT arrayJoin(arrayZip({project_ids:Array(String)}, {trace_ids:Array(String)})) AS pair)
  )
GROUP BY project_id, trace_id
