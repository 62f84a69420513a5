-- All projects: settled traces with calls whose usage is to be estimated, the longest waiting first, of each
-- project so many. A generation that was estimated since has a newer row, which says so.
SELECT project_id, trace_id, argMax(span_count, (generation, settled_at)) AS spans
FROM traces
WHERE settled_at >= now64(3) - toIntervalSecond({lookback_seconds:UInt32})
  AND (project_id, trace_id) IN (
      SELECT project_id, trace_id FROM traces
      WHERE settled_at >= now64(3) - toIntervalSecond({lookback_seconds:UInt32})
        AND unreported_calls > 0
        AND NOT has({without:Array(UUID)}, project_id)
  )
GROUP BY project_id, trace_id
HAVING argMax(unreported_calls, (generation, settled_at)) > 0
   AND max(settled_at) <= now64(3) - toIntervalSecond({wait_seconds:UInt32})
ORDER BY max(settled_at), project_id, trace_id
LIMIT {a_project:UInt32} BY project_id
LIMIT {limit:UInt32}
