-- The newest settled row of one trace. A row's hour is one that its spans lie in.
SELECT *
FROM traces
WHERE project_id = {project_id:UUID} AND trace_id = unhex({trace_id:String})
  AND bucket_hour >= toStartOfHour(toDateTime({first_bucket:Int64}, 'UTC'))
  AND bucket_hour <= toDateTime({last_bucket:Int64}, 'UTC')
ORDER BY generation DESC, settled_through DESC, settled_at DESC
LIMIT 1
