-- The hours of a range in which a project has spans that may have a price.
SELECT toUnixTimestamp(toStartOfHour(bucket_time)) AS hour, uniqExact(trace_id, span_id) AS spans
FROM spans
WHERE project_id = {project_id:UUID}
  AND bucket_time >= toDateTime({since:Int64}, 'UTC') AND bucket_time < toDateTime({until:Int64}, 'UTC')
  AND model != '' AND (has_usage OR kind IN ('llm', 'embedding', 'reranker'))
GROUP BY hour
ORDER BY hour
LIMIT {limit:UInt32}
