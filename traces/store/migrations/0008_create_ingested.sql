-- The engine's own ledger of what reached `spans`, row by row, kept apart from what we say we sent.
CREATE TABLE IF NOT EXISTS ingested
(
    project_id UUID,
    received_ns UInt64 CODEC(Delta, ZSTD(1)),
    received_at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    span_hash UInt64 CODEC(NONE)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(received_at)
ORDER BY (project_id, received_ns, span_hash)
TTL received_at + toIntervalDay(14)
SETTINGS ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS ingested_writer TO ingested AS
SELECT
    project_id,
    received_ns,
    toDateTime(intDiv(received_ns, 1000000000), 'UTC') AS received_at,
    cityHash64(trace_id, span_id) AS span_hash
FROM spans;
