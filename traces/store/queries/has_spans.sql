-- Whether anything has reached a project yet.
SELECT count() > 0 AS has_spans
FROM (SELECT 1 FROM trace_index WHERE project_id = {project_id:UUID} LIMIT 1)
