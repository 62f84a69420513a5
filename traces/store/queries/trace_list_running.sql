-- Traces that have not settled: spans newer than the settled row has seen, or no settled row yet.
SELECT
    trace_id, any_name, root_name, start_ns, end_ns, has_error, root_ended, is_evaluation, session_id,
    user_id, last_stored_at
FROM
(
    SELECT
        trace_id,
        anyLast(any_name) AS any_name,
        max(root_name) AS root_name,
        min(start_ns) AS start_ns,
        max(end_ns) AS end_ns,
        max(has_error) AS has_error,
        max(root_ended) AS root_ended,
        max(is_evaluation) AS is_evaluation,
        max(session_id) AS session_id,
        max(user_id) AS user_id,
        max(last_stored_at) AS last_stored_at
    FROM trace_index
    WHERE project_id = {project_id:UUID}
      AND trace_id IN (
          SELECT trace_id FROM trace_index
          WHERE project_id = {project_id:UUID}
            AND trace_index.last_stored_at >= now64(3) - toIntervalSecond({lookback_seconds:UInt32})
      )
    GROUP BY trace_id
) AS seen
LEFT JOIN
(
    SELECT trace_id, max(settled_through) AS settled_through
    FROM traces
    WHERE project_id = {project_id:UUID}
      AND trace_id IN (
          SELECT trace_id FROM trace_index
          WHERE project_id = {project_id:UUID}
            AND trace_index.last_stored_at >= now64(3) - toIntervalSecond({lookback_seconds:UInt32})
      )
    GROUP BY trace_id
) AS settled USING (trace_id)
WHERE seen.last_stored_at > settled.settled_through
  AND start_ns >= {since_ns:UInt64} AND start_ns < {until_ns:UInt64}
      AND (start_ns, trace_id) < ({before_ns:UInt64}, toFixedString(unhex({before_id:String}), 16))
  AND (is_evaluation = 0 OR {include_evaluations:Bool})
ORDER BY start_ns DESC, trace_id DESC
LIMIT {limit:UInt32}
