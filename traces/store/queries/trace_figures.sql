-- Figures of all settled traces in a time range, of one release or of all ('').
SELECT
    count() AS spans,
    countIf(status = 'error') AS errors,
    quantiles(0.5, 0.95)(end_ns - start_ns) AS durations,
    sum(cost_usd) AS cost_usd,
    sum(uncached_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens
FROM traces FINAL
WHERE project_id = {project_id:UUID}
  AND bucket_hour >= toDateTime(greatest({since:Int64} - 86400, 0), 'UTC')
  AND start_ns >= {since:Int64} * 1000000000 AND start_ns < {until:Int64} * 1000000000
  AND {release:String} IN ('', release)
  AND (is_evaluation = 0 OR {include_evaluations:Bool})
