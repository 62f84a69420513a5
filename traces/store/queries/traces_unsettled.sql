-- Which traces have spans that no settled row has seen, the latest stored first. What has settled since
-- its newest span was stored settled within the look-back too: only those rows are compared with
-- (an hour more, for clocks of several servers).
SELECT trace_id, max(stored) AS newest
FROM
(
    SELECT trace_id, last_stored_at AS stored, toDateTime64(0, 3, 'UTC') AS seen
    FROM trace_index
    WHERE project_id = {project_id:UUID}
      AND trace_index.last_stored_at >= now64(3) - toIntervalSecond({lookback_seconds:UInt32})
    UNION ALL
    SELECT trace_id, toDateTime64(0, 3, 'UTC') AS stored, settled_through AS seen
    FROM traces
    WHERE project_id = {project_id:UUID}
      AND settled_at >= now64(3) - toIntervalSecond({lookback_seconds:UInt32} + 3600)
)
GROUP BY trace_id
HAVING newest > max(seen)
ORDER BY newest DESC, trace_id DESC
LIMIT {limit:UInt32}
