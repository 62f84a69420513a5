-- Traces that have not settled: spans newer than the settled row has seen, or no settled row yet.
-- They are found by the first facts of the index; their summaries are computed from their spans.
SELECT trace_id, settled_through > toDateTime64(0, 3, 'UTC') AS has_settled
FROM
(
    SELECT
        trace_id,
        if(max(root_name) = '', anyLast(any_name), max(root_name)) AS shown_name,
        min(start_ns) AS start_ns,
        max(has_error) AS has_error,
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
  AND ({status:String} IN ('', 'running') OR ({status:String} = 'error' AND has_error = 1))
  AND {session_id:String} IN ('', session_id)
  AND {user_id:String} IN ('', user_id)
  AND positionCaseInsensitiveUTF8(shown_name, {name:String}) > 0
  AND (positionCaseInsensitiveUTF8(shown_name, {text:String}) > 0
       OR {text:String} IN (session_id, user_id)
       OR lower(hex(trace_id)) = lower({text:String}))
ORDER BY start_ns DESC, trace_id DESC
LIMIT {limit:UInt32}
