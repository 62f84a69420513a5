-- Which traces of a project got spans since a cursor (the engine's clock), newest last.
SELECT trace_id, max(last_stored_at) AS last_stored_at
FROM trace_index
WHERE project_id = {project_id:UUID} AND trace_index.last_stored_at > {cursor:DateTime64(3, 'UTC')}
GROUP BY trace_id
ORDER BY last_stored_at
LIMIT {limit:UInt32}
