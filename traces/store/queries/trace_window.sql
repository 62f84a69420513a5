-- Where a trace's spans lie (partitions and order key), and how far it has been stored.
SELECT
    count() AS parts,
    toUnixTimestamp(min(first_bucket)) AS first_bucket,
    toUnixTimestamp(max(last_bucket)) AS last_bucket,
    max(last_stored_at) AS last_stored_at,
    max(root_ended) AS root_ended
FROM trace_index
WHERE project_id = {project_id:UUID} AND trace_id = unhex({trace_id:String})
