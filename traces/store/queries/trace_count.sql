-- How many settled traces match; with the totals that a list shows above itself.
SELECT count() AS traces
FROM traces FINAL
WHERE project_id = {project_id:UUID}
  AND bucket_hour >= toDateTime({since:Int64}, 'UTC') - INTERVAL 1 DAY
  AND bucket_hour <= toDateTime({until:Int64}, 'UTC') + INTERVAL 1 DAY
  AND start_ns >= {since_ns:UInt64} AND start_ns < {until_ns:UInt64}
  AND (is_evaluation = 0 OR {include_evaluations:Bool})
  {filter}
