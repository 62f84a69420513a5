-- What was answered to senders: one row an acknowledged request, and refused requests added up.
-- A receipt that is written again (a spool drained twice) replaces itself.
CREATE TABLE IF NOT EXISTS receipts
(
    project_id UUID,
    receipt_id UUID,
    kind LowCardinality(String),
    key_id UUID,
    received_ns UInt64,
    received_at DateTime('UTC'),
    requests UInt32,
    status UInt16,
    encoding LowCardinality(String),
    content_encoding LowCardinality(String),
    sdk_name LowCardinality(String),
    sdk_version LowCardinality(String),
    sdk_language LowCardinality(String),
    -- spans of the request that were taken, and how many different ones these were
    accepted UInt32,
    unique_spans UInt32,
    rejected UInt32,
    dropped UInt32,
    truncated UInt32,
    late UInt32,
    quarantined UInt32,
    is_spooled Bool,
    compressed_bytes UInt64,
    body_bytes UInt64,
    reasons Map(LowCardinality(String), UInt64),
    samples Array(String),
    recorded_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(recorded_at)
PARTITION BY toYYYYMMDD(received_at)
ORDER BY (project_id, received_ns, receipt_id)
TTL received_at + toIntervalDay(14)
SETTINGS ttl_only_drop_parts = 1;
