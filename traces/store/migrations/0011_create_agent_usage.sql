-- Tokens and cost that coding agents report as metrics, a row a data point. Kept apart from spans
-- and log records, which report the same again. A point that is sent again replaces itself.
CREATE TABLE IF NOT EXISTS agent_usage
(
    project_id UUID,
    retention_days UInt16 DEFAULT 0,
    bucket_time DateTime('UTC'),
    series_id FixedString(16),
    start_ns UInt64,
    time_ns UInt64,
    received_ns UInt64,
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3),
    agent LowCardinality(String),
    metric LowCardinality(String),
    counted LowCardinality(String),
    is_delta Bool,
    value Float64,
    model LowCardinality(String),
    session_id String,
    user_id String,
    service_name LowCardinality(String),
    environment LowCardinality(String)
)
ENGINE = ReplacingMergeTree(received_ns)
PARTITION BY (retention_days, toMonday(bucket_time))
ORDER BY (project_id, series_id, start_ns, time_ns);
