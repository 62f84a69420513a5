-- All projects: generations that settled after a cursor of the engine's clock, oldest first.
SELECT project_id, trace_id, generation, settled_at, is_evaluation
FROM traces
WHERE settled_at > {cursor:DateTime64(3, 'UTC')}
ORDER BY settled_at, project_id, trace_id
LIMIT {limit:UInt32}
