-- How many settled traces match. (`bucket_hour` prunes below only: an old start is clamped upwards.)
SELECT count() AS traces
FROM traces FINAL
WHERE project_id = {project_id:UUID}
  AND bucket_hour >= toDateTime(greatest({since:Int64} - 86400, 0), 'UTC')
  AND start_ns >= {since_ns:UInt64} AND start_ns < {until_ns:UInt64}
  AND (is_evaluation = 0 OR {include_evaluations:Bool})
  {filter}
