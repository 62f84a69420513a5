-- Settled traces that were kept long enough, in the order of their ids. {value} is how many days that is,
-- counted from the later of its time and its last arrival; the newest generation speaks.
SELECT trace_id
FROM
(
    SELECT trace_id, generation, settled_through, bucket_hour, environment, tags, status
    FROM traces
    WHERE project_id = {project_id:UUID}
      AND trace_id > toFixedString(unhex({after:String}), 16)
      AND bucket_hour < {now:DateTime('UTC')} - toIntervalDay(1)
    ORDER BY trace_id, generation DESC
    LIMIT 1 BY trace_id
)
WHERE greatest(settled_through, toDateTime64(bucket_hour, 3, 'UTC'))
    < {now:DateTime('UTC')} - toIntervalDay(least({value}, 20000))
ORDER BY trace_id
LIMIT {limit:UInt32}
