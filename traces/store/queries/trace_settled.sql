-- The newest settled row of one trace.
SELECT *
FROM traces
WHERE project_id = {project_id:UUID} AND trace_id = unhex({trace_id:String})
ORDER BY generation DESC, settled_through DESC
LIMIT 1
