-- The whole spans of one trace, deduplicated, in time order.
SELECT *
FROM
(
    SELECT *
    FROM spans
    WHERE project_id = {project_id:UUID}
      AND bucket_time >= toDateTime({first_bucket:Int64}, 'UTC') AND bucket_time <= toDateTime({last_bucket:Int64}, 'UTC')
      AND trace_id = unhex({trace_id:String})
      {filter}
    ORDER BY version DESC
    LIMIT 1 BY span_id
)
ORDER BY start_ns, span_id
LIMIT {limit:UInt32}
