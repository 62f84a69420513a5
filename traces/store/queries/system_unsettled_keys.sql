-- All projects: traces with spans stored in the look-back, quiet since, that no settled row has seen:
-- it is older, or fewer rows had arrived (one showed up behind the clock). What has settled since its
-- newest span was stored settled within the look-back too; only those rows are compared with.
SELECT project_id, trace_id, max(stored) AS last_stored_at
FROM
(
    SELECT project_id, trace_id, last_stored_at AS stored, arrived, toDateTime64(0, 3, 'UTC') AS seen,
        toUInt64(0) AS had_arrived
    FROM trace_index
    WHERE trace_index.last_stored_at >= now64(3) - toIntervalSecond({lookback_seconds:UInt32})
    UNION ALL
    SELECT project_id, trace_id, toDateTime64(0, 3, 'UTC') AS stored, toUInt64(0) AS arrived,
        settled_through AS seen, traces.arrived AS had_arrived
    FROM traces
    WHERE settled_at >= now64(3) - toIntervalSecond({lookback_seconds:UInt32} + 60)
)
GROUP BY project_id, trace_id
HAVING last_stored_at <= now64(3) - toIntervalSecond({quiet_seconds:UInt32})
   AND last_stored_at > toDateTime64(0, 3, 'UTC')
   AND (last_stored_at > max(seen) OR sum(arrived) > max(had_arrived))
   AND (last_stored_at, project_id, trace_id) > (
       {after_at:DateTime64(3, 'UTC')}, {after_project:UUID},
       toFixedString(unhex({after_trace:String}), 16))
ORDER BY last_stored_at, project_id, trace_id
LIMIT {limit:UInt32}
