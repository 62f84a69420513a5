-- The most frequent values of a fact of settled traces, and how many traces have each.
SELECT {value} AS value, count() AS traces
FROM traces FINAL
WHERE project_id = {project_id:UUID}
  AND bucket_hour >= toDateTime(greatest({since:Int64} - 86400, 0), 'UTC')
  AND start_ns >= {since_ns:UInt64} AND start_ns < {until_ns:UInt64}
  AND (is_evaluation = 0 OR {include_evaluations:Bool})
  {filter}
GROUP BY value
HAVING value != ''
ORDER BY traces DESC, value
LIMIT {limit:UInt32}
