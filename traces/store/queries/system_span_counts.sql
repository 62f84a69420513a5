-- All projects: how many spans each of a list of traces has, to read them in bounded portions.
SELECT project_id, trace_id, uniqExact(span_id) AS spans
FROM spans
WHERE bucket_time >= toDateTime({first_bucket:Int64}, 'UTC') AND bucket_time <= toDateTime({last_bucket:Int64}, 'UTC')
  AND (project_id, trace_id) IN (
      SELECT {projects:Array(UUID)}[pair.1], reinterpretAsFixedString(pair.2)
      FROM (SELECT arrayJoin(arrayZip({project_of:Array(UInt32)}, {trace_numbers:Array(UInt128)})) AS pair)
  )
GROUP BY project_id, trace_id
