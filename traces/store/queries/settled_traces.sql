-- Which traces of a project settled since a cursor (the engine's clock), newest last.
SELECT trace_id, max(settled_at) AS settled_at
FROM traces
WHERE project_id = {project_id:UUID} AND traces.settled_at > {cursor:DateTime64(3, 'UTC')}
GROUP BY trace_id
ORDER BY settled_at
LIMIT {limit:UInt32}
