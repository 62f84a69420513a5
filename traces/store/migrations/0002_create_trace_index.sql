-- First facts of a trace while spans arrive. Only minima, maxima and "any": re-sent spans change nothing.
CREATE TABLE IF NOT EXISTS trace_index
(
    project_id UUID,
    trace_id FixedString(16),
    retention_days SimpleAggregateFunction(max, UInt16),
    first_bucket SimpleAggregateFunction(min, DateTime('UTC')),
    last_bucket SimpleAggregateFunction(max, DateTime('UTC')),
    start_ns SimpleAggregateFunction(min, UInt64),
    end_ns SimpleAggregateFunction(max, UInt64),
    first_stored_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_stored_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    root_ended SimpleAggregateFunction(max, UInt8),
    has_error SimpleAggregateFunction(max, UInt8),
    is_evaluation SimpleAggregateFunction(max, UInt8),
    root_name SimpleAggregateFunction(max, String),
    any_name SimpleAggregateFunction(anyLast, String),
    session_id SimpleAggregateFunction(max, String),
    user_id SimpleAggregateFunction(max, String),
    INDEX last_stored_range last_stored_at TYPE minmax GRANULARITY 1
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, trace_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS trace_index_writer TO trace_index AS
SELECT
    project_id,
    trace_id,
    retention_days,
    min(bucket_time) AS first_bucket,
    max(bucket_time) AS last_bucket,
    min(spans.start_ns) AS start_ns,
    max(spans.end_ns) AS end_ns,
    min(stored_at) AS first_stored_at,
    max(stored_at) AS last_stored_at,
    max(toUInt8(is_local_root AND spans.end_ns > 0)) AS root_ended,
    max(toUInt8(status = 'error')) AS has_error,
    max(toUInt8(spans.is_evaluation)) AS is_evaluation,
    max(if(is_local_root, name, '')) AS root_name,
    anyLast(name) AS any_name,
    max(spans.session_id) AS session_id,
    max(spans.user_id) AS user_id
FROM spans
GROUP BY project_id, trace_id, retention_days;
