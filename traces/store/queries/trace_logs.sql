-- The log records of one trace, each once, in time order.
SELECT *
FROM
(
    SELECT *
    FROM logs
    WHERE project_id = {project_id:UUID}
      AND trace_id = unhex({trace_id:String})
      {filter}
    ORDER BY received_ns DESC
    LIMIT 1 BY log_id
)
ORDER BY multiIf(time_ns > 0, time_ns, observed_ns > 0, observed_ns, received_ns), log_id
LIMIT {limit:UInt32}
