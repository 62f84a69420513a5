-- What coding agents counted between two times, by agent and {value}. Of a cumulative series what
-- was added since its last point before; a restarted one starts again at 0. A series that is older
-- than the read looks back, and silent so long, counts from its first point between the times.
SELECT
    agent,
    value,
    sumMap(map(counted, added)) AS amounts,
    uniqExactIf(session_id, session_id != '') AS sessions,
    uniqExactIf(user_id, user_id != '') AS users,
    max(last_ns) AS last_ns
FROM
(
    SELECT
        agent, toString({value}) AS value, toString(counted) AS counted, session_id, user_id,
        max(time_ns) AS last_ns,
        countIf(time_ns < {since_ns:UInt64}) > 0 AS is_known_before,
        multiIf(
            any(is_delta), sumIf(point, time_ns >= {since_ns:UInt64}),
            is_known_before OR start_ns >= {looks_back_to_ns:UInt64},
            greatest(max(point) - maxIf(point, time_ns < {since_ns:UInt64}), 0),
            max(point) - min(point)) AS added
    FROM
    (
        SELECT
            agent, model, counted, session_id, user_id, series_id, start_ns, time_ns, is_delta,
            value AS point
        FROM agent_usage
        WHERE project_id = {project_id:UUID}
            AND bucket_time >= toDateTime(intDiv({looks_back_to_ns:UInt64}, 1000000000), 'UTC')
            AND time_ns < {until_ns:UInt64}
        ORDER BY received_ns DESC
        LIMIT 1 BY series_id, start_ns, time_ns
    )
    -- A delta's start moves with every point, a cumulative series' stays.
    GROUP BY
        agent, value, counted, session_id, user_id, series_id, is_delta,
        if(is_delta, 0, start_ns) AS start_ns
)
WHERE added > 0
GROUP BY agent, value
ORDER BY amounts['cost_usd'] DESC, agent, value
LIMIT {limit:UInt32}
