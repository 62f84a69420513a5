-- The spans of one trace without content, deduplicated: a re-send whose start moved has another key.
SELECT
    span_id, parent_span_id, name, kind, status, status_message, start_ns, end_ns, is_local_root,
    agent_name, tool_name, model, session_id, user_id, first_token_ns, error_type, error_message,
    is_infrastructure,
    has_usage, uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    output_tokens, reasoning_tokens, is_estimated,
    is_estimated AND isNull(reported_cost_usd) AS is_cost_estimated,
    if(prefers_computed, coalesce(computed_cost_usd, reported_cost_usd),
        coalesce(reported_cost_usd, computed_cost_usd)) AS cost_usd
FROM spans
WHERE project_id = {project_id:UUID}
  AND bucket_time >= toDateTime({first_bucket:Int64}, 'UTC') AND bucket_time <= toDateTime({last_bucket:Int64}, 'UTC')
  AND trace_id = unhex({trace_id:String})
ORDER BY version DESC
LIMIT 1 BY span_id
LIMIT {limit:UInt32}
