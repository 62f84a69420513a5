-- Of `traces_unsettled` those that a list shows: spans newer than the settled row has seen, or no settled
-- row yet. They match by the first facts of the index; their summaries are computed from their spans.
SELECT trace_id, settled_through > toDateTime64(0, 3, 'UTC') AS has_settled
FROM
(
    SELECT
        trace_id,
        if(max(root_name) = '', anyLast(any_name), max(root_name)) AS shown_name,
        -- as totals lists it: by its arrival when the sender's clock is too far ahead of ours
        toUInt64(toUnixTimestamp64Milli(min(trace_index.first_stored_at))) * 1000000 AS stored_ns,
        if(min(trace_index.start_ns) > stored_ns + {ahead_ns:UInt64},
           stored_ns, min(trace_index.start_ns)) AS start_ns,
        max(has_error) AS has_error,
        max(is_evaluation) AS is_evaluation,
        max(session_id) AS session_id,
        max(user_id) AS user_id,
        max(last_stored_at) AS last_stored_at
    FROM trace_index
    WHERE project_id = {project_id:UUID}
      AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
    GROUP BY trace_id
) AS seen
LEFT JOIN
(
    SELECT trace_id, max(settled_through) AS settled_through
    FROM traces
    WHERE project_id = {project_id:UUID}
      AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
      -- a row's hour is one that its spans lie in
      AND bucket_hour >= (
          SELECT toStartOfHour(min(first_bucket)) FROM trace_index
          WHERE project_id = {project_id:UUID}
            AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
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
  {filter}
ORDER BY start_ns DESC, trace_id DESC
LIMIT {limit:UInt32}
