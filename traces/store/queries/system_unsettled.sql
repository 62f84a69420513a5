-- All projects: of a list of traces those that are to settle now, the longest waiting first: spans newer or
-- more than the settled row has seen, and quiet: the root has ended and nothing came for the quiet time,
-- or nothing at all came for the longer silence. Who has used up its generations waits for the last one.
SELECT project_id, trace_id, last_stored_at, first_stored_at, first_bucket, last_bucket, retention_days,
    seen.arrived AS arrived, settled_generation AS generation, settled_bucket_hour AS bucket_hour
FROM
(
    SELECT
        project_id,
        trace_id,
        max(last_stored_at) AS last_stored_at,
        min(trace_index.first_stored_at) AS first_stored_at,
        max(root_ended) AS root_ended,
        toUnixTimestamp(min(first_bucket)) AS first_bucket,
        toUnixTimestamp(max(last_bucket)) AS last_bucket,
        max(retention_days) AS retention_days,
        sum(arrived) AS arrived
    FROM trace_index
    WHERE (project_id, trace_id) IN (
        SELECT {projects:Array(UUID)}[pair.1], reinterpretAsFixedString(pair.2)
        FROM (SELECT arrayJoin(arrayZip({project_of:Array(UInt32)}, {trace_numbers:Array(UInt128)})) AS pair)
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
        argMax(traces.arrived, generation) AS settled_arrived,
        toUnixTimestamp(argMin(bucket_hour, generation)) AS settled_bucket_hour
    FROM traces
    WHERE (project_id, trace_id) IN (
        SELECT {projects:Array(UUID)}[pair.1], reinterpretAsFixedString(pair.2)
        FROM (SELECT arrayJoin(arrayZip({project_of:Array(UInt32)}, {trace_numbers:Array(UInt128)})) AS pair)
    )
      -- a row's hour is one that its spans lie in
      AND bucket_hour >= (
          SELECT toStartOfHour(min(trace_index.first_bucket)) FROM trace_index
          WHERE (project_id, trace_id) IN (
              SELECT {projects:Array(UUID)}[pair.1], reinterpretAsFixedString(pair.2)
              FROM (SELECT arrayJoin(arrayZip({project_of:Array(UInt32)}, {trace_numbers:Array(UInt128)})) AS pair)
          )
      )
    GROUP BY project_id, trace_id
) AS settled USING (project_id, trace_id)
WHERE (seen.last_stored_at > settled.settled_through OR seen.arrived != settled.settled_arrived)
  AND seen.last_stored_at <= now64(3) - toIntervalSecond(multiIf(
      settled_generation >= {generations:UInt32}, {last_wait_seconds:UInt32},
      root_ended = 1, {quiet_seconds:UInt32},
      {silence_seconds:UInt32}))
ORDER BY seen.last_stored_at, project_id, trace_id
LIMIT {limit:UInt32}
