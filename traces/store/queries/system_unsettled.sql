-- All projects: traces whose newest span is newer than their settled row, and which are quiet: the root
-- has ended and nothing came for the quiet time, or nothing at all came for the longer silence.
SELECT project_id, trace_id, last_stored_at, first_bucket, last_bucket, retention_days,
    settled_generation AS generation, settled_bucket_hour AS bucket_hour
FROM
(
    SELECT
        project_id,
        trace_id,
        max(last_stored_at) AS last_stored_at,
        max(root_ended) AS root_ended,
        toUnixTimestamp(min(first_bucket)) AS first_bucket,
        toUnixTimestamp(max(last_bucket)) AS last_bucket,
        max(retention_days) AS retention_days
    FROM trace_index
    WHERE (project_id, trace_id) IN (
        SELECT project_id, trace_id FROM trace_index
        WHERE trace_index.last_stored_at >= now64(3) - toIntervalSecond({lookback_seconds:UInt32})
    )
    GROUP BY project_id, trace_id
) AS seen
LEFT JOIN
(
    SELECT
        project_id,
        trace_id,
        max(settled_through) AS settled_through,
        max(generation) AS settled_generation,
        toUnixTimestamp(argMin(bucket_hour, generation)) AS settled_bucket_hour
    FROM traces
    WHERE (project_id, trace_id) IN (
        SELECT project_id, trace_id FROM trace_index
        WHERE trace_index.last_stored_at >= now64(3) - toIntervalSecond({lookback_seconds:UInt32})
    )
    GROUP BY project_id, trace_id
) AS settled USING (project_id, trace_id)
WHERE seen.last_stored_at > settled.settled_through
  AND if(root_ended = 1,
         seen.last_stored_at <= now64(3) - toIntervalSecond({quiet_seconds:UInt32}),
         seen.last_stored_at <= now64(3) - toIntervalSecond({silence_seconds:UInt32}))
  AND (seen.last_stored_at, project_id, trace_id) > (
      {after_at:DateTime64(3, 'UTC')}, {after_project:UUID},
      toFixedString(unhex({after_trace:String}), 16))
ORDER BY seen.last_stored_at, project_id, trace_id
LIMIT {limit:UInt32}
