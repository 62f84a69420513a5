-- What coding agents counted between two times, by agent, model and what was counted. Of a
-- cumulative series what was added since its last point before; a restarted one starts again at 0.
SELECT agent, model, counted, sum(added) AS amount, uniqExact(session_id) AS sessions
FROM
(
    SELECT
        agent, model, counted, session_id,
        if(any(is_delta),
            sumIf(value, time_ns >= {since_ns:UInt64}),
            greatest(max(value) - maxIf(value, time_ns < {since_ns:UInt64}), 0)) AS added
    FROM
    (
        SELECT *
        FROM agent_usage
        WHERE project_id = {project_id:UUID} AND time_ns < {until_ns:UInt64}
        ORDER BY received_ns DESC
        LIMIT 1 BY series_id, start_ns, time_ns
    )
    -- A delta's start moves with every point, a cumulative series' stays.
    GROUP BY agent, model, counted, session_id, series_id, if(is_delta, 0, start_ns)
)
WHERE added > 0
GROUP BY agent, model, counted
ORDER BY agent, model, counted
LIMIT {limit:UInt32}
