-- Every run's outcome, findings or not, with the probability that the run was judged at all.
CREATE TABLE IF NOT EXISTS verdicts
(
    project_id UUID,
    retention_days UInt16 DEFAULT 0,
    decided_at DateTime64(3, 'UTC'),
    detector_id UUID,
    detector_version UInt32,
    trace_id FixedString(16),
    generation UInt32,
    run_id UUID,
    outcome LowCardinality(String),
    confidence Float32,
    inclusion_probability Float64,
    summary String,
    cost_usd Nullable(Decimal(18, 9)),
    input_tokens UInt64,
    output_tokens UInt64,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY (retention_days, toYYYYMM(decided_at))
ORDER BY (project_id, detector_id, trace_id, generation, detector_version);
