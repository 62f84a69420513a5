-- What upper stages say about a trace or span (finding, health, label, score), in neutral columns.
CREATE TABLE IF NOT EXISTS trace_marks
(
    project_id UUID,
    retention_days UInt16 DEFAULT 0,
    trace_id FixedString(16),
    span_id FixedString(8),
    name LowCardinality(String),
    source_id String,
    label String,
    level LowCardinality(String),
    value Float64,
    is_removed Bool DEFAULT false,
    marked_at DateTime64(3, 'UTC') DEFAULT now64(3),
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (project_id, trace_id, name, span_id, source_id);
