-- Figures of settled traces by hour or day (`step`, days of a time zone), whole or by a value that a
-- trace has one of.
SELECT
    if({step:String} = 'hour',
       toStartOfHour(toDateTime(intDiv(start_ns, 1000000000), {zone:String})),
       toStartOfDay(toDateTime(intDiv(start_ns, 1000000000), {zone:String}))) AS at,
    {value} AS value,
    count() AS traces,
    countIf(status = 'error') AS failed_traces,
    quantiles(0.5, 0.95)(end_ns - start_ns) AS durations,
    sum(cost_usd) AS cost_usd,
    sum(uncached_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens
FROM traces FINAL
WHERE project_id = {project_id:UUID}
  AND bucket_hour >= toDateTime(greatest({since:Int64} - 86400, 0), 'UTC')
  AND start_ns >= {since_ns:UInt64} AND start_ns < {until_ns:UInt64}
  AND (is_evaluation = 0 OR {include_evaluations:Bool})
  {filter}
GROUP BY at, value
ORDER BY at, value
LIMIT {limit:UInt32}
