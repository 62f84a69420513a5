-- Usage by model or agent (`by`) and hour or day, from the shares of settled traces: each token once.
-- A trace is counted once for a value, however many of its shares have it. Only the parts of the shares
-- that are asked for are read, which whole tuples would not do.
SELECT
    if({step:String} = 'hour',
       toStartOfHour(toDateTime(intDiv(start_ns, 1000000000), {zone:String})),
       toStartOfDay(toDateTime(intDiv(start_ns, 1000000000), {zone:String}))) AS at,
    whose AS value,
    countIf(nth = 1) AS traces,
    countIf(nth = 1 AND status = 'error') AS failed_traces,
    quantilesIf(0.5, 0.95)(end_ns - start_ns, nth = 1) AS durations,
    sum(share_calls) AS calls,
    sum(share_failed) AS failed_calls,
    sum(share_cost) AS cost_usd,
    sum(share_input) AS input_tokens,
    sum(share_output) AS output_tokens
FROM traces FINAL
ARRAY JOIN
    {value} AS whose,
    arrayEnumerateUniq({value}) AS nth,
    usage_shares.calls AS share_calls,
    usage_shares.failed_calls AS share_failed,
    usage_shares.cost_usd AS share_cost,
    usage_shares.input_tokens AS share_input,
    usage_shares.output_tokens AS share_output
WHERE project_id = {project_id:UUID}
  AND bucket_hour >= toDateTime(greatest({since:Int64} - 86400, 0), 'UTC')
  AND start_ns >= {since_ns:UInt64} AND start_ns < {until_ns:UInt64}
  AND (is_evaluation = 0 OR {include_evaluations:Bool})
  {filter}
GROUP BY at, value
ORDER BY at, value
LIMIT {limit:UInt32}
