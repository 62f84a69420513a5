-- A page of sessions or users, the last active first: only which ones and when. An old start is
-- clamped upwards, so `bucket_hour` bounds the rows from below only.
SELECT
    {value} AS id,
    max(start_ns) AS latest_ns,
    toUnixTimestamp(min(bucket_hour)) AS first_hour,
    toUnixTimestamp(max(bucket_hour)) AS last_hour
FROM traces FINAL
WHERE project_id = {project_id:UUID}
  AND bucket_hour >= toDateTime(greatest({since:Int64} - 86400, 0), 'UTC')
  AND start_ns >= {since_ns:UInt64} AND start_ns < {until_ns:UInt64}
  AND (is_evaluation = 0 OR {include_evaluations:Bool})
  AND {value} != ''
  {filter}
GROUP BY id
HAVING (latest_ns, id) < ({before_ns:UInt64}, {before_id:String})
ORDER BY latest_ns DESC, id DESC
LIMIT {limit:UInt32}
