-- Whose the usage of a trace is: its counted model calls by model and agent, so that tokens and cost
-- by model or agent are read from settled rows, each token once. What settled before is its only
-- model's, or nobody's.
ALTER TABLE traces ADD COLUMN IF NOT EXISTS usage_shares Array(Tuple(
    model LowCardinality(String), agent LowCardinality(String), calls UInt32, failed_calls UInt32,
    input_tokens UInt64, output_tokens UInt64, cost_usd Decimal(18, 9))) AFTER cost_usd;

ALTER TABLE traces UPDATE usage_shares = [(
    if(length(models) = 1, models[1], ''), if(length(agents) = 1, agents[1], ''), 1, 0,
    uncached_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens,
    output_tokens, ifNull(cost_usd, 0))]
WHERE empty(usage_shares) AND (has_usage OR cost_usd IS NOT NULL);
