-- How many settled traces match; with the totals that a list shows above itself.
SELECT count() AS traces
FROM traces FINAL
WHERE project_id = {project_id:UUID}
  AND bucket_hour >= toDateTime(greatest({since:Int64} - 86400, 0), 'UTC')
  AND bucket_hour <= toDateTime(least({until:Int64} + 86400, 4294967295), 'UTC')
  AND start_ns >= {since_ns:UInt64} AND start_ns < {until_ns:UInt64}
  AND (is_evaluation = 0 OR {include_evaluations:Bool})
  {filter}
