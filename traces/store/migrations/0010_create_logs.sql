-- One row a log record. Its id is the hash of its content: a record that is sent again replaces
-- itself. `bucket_time` is its time clamped around receipt. Records without a trace have an id of
-- zeros. `body` is a text body as sent; `body_json` any other, exactly, as OTLP JSON.
CREATE TABLE IF NOT EXISTS logs
(
    project_id UUID,
    retention_days UInt16 DEFAULT 0,
    bucket_time DateTime('UTC'),
    log_id FixedString(16),
    trace_id FixedString(16),
    span_id FixedString(8),
    received_ns UInt64,
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3),
    time_ns UInt64,
    observed_ns UInt64,
    severity_number UInt8,
    severity_text LowCardinality(String),
    event_name LowCardinality(String),
    kind LowCardinality(String),
    convention LowCardinality(String),
    model LowCardinality(String),
    agent_name LowCardinality(String),
    tool_name LowCardinality(String),
    session_id String,
    user_id String,
    environment LowCardinality(String),
    release LowCardinality(String),
    service_name LowCardinality(String),
    body String CODEC(ZSTD(1)),
    body_json String CODEC(ZSTD(1)),
    -- strings as sent; numbers for search; everything that is not a string, exactly, as OTLP JSON
    attributes_string Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    attributes_number Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    attributes_json Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    resource_json String CODEC(ZSTD(1)),
    scope_json String CODEC(ZSTD(1)),
    flags UInt32,
    dropped_attributes UInt32,
    INDEX session_id_bloom session_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX stored_at_range stored_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(received_ns)
PARTITION BY (retention_days, toMonday(bucket_time))
ORDER BY (project_id, trace_id, toStartOfHour(bucket_time), log_id)
SETTINGS index_granularity = 4096;
