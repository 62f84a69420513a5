-- All projects: generations that settled after a cursor of the engine's clock, oldest first.
SELECT project_id, trace_id, generation, settled_at, is_evaluation, retention_days, failed_calls, equal_calls,
    has_told_calls
FROM traces
WHERE settled_at > {cursor:DateTime64(3, 'UTC')}
ORDER BY settled_at, project_id, trace_id
LIMIT {limit:UInt32}
