-- All projects: the spans of a list of traces without content, for settling; a span that was sent again
-- may be there twice. Granules that hold nothing stored in the time are passed over, whatever their ids.
-- The first spans of each trace, so that one huge trace leaves room for the others.
WITH
    if(prefers_computed, coalesce(computed_cost_usd, reported_cost_usd),
        coalesce(reported_cost_usd, computed_cost_usd)) AS cost
SELECT
    toLowCardinality(toString(project_id)), trace_id, span_id, parent_span_id, version,
    toLowCardinality(name), kind, status, start_ns, end_ns, is_local_root, agent_name, tool_name, model,
    toLowCardinality(session_id), toLowCardinality(user_id), environment, release, service_name,
    toLowCardinality(trace_name), is_evaluation, git_repo, git_ref, has_usage, uncached_input_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens,
    is_estimated, isNotNull(cost), reinterpretAsInt64(ifNull(cost, toDecimal64(0, 9))),
    toUnixTimestamp64Milli(stored_at),
    if(status = 'error', error_type, ''), if(status = 'error', substringUTF8(error_message, 1, 2000), ''),
    root_input, root_output, length(input), length(output),
    if(empty(tags) AND empty(metadata) AND empty(trace_tags) AND empty(trace_metadata), '',
        toJSONString(tuple(tags, metadata, trace_tags, trace_metadata))),
    may_have_failed, answer_hash, may_tell_results, is_infrastructure
FROM spans
WHERE stored_at >= {first_stored_at:DateTime64(3, 'UTC')}
  AND bucket_time >= toDateTime({first_bucket:Int64}, 'UTC') AND bucket_time <= toDateTime({last_bucket:Int64}, 'UTC')
  AND (project_id, trace_id) IN (
      SELECT {projects:Array(UUID)}[pair.1], reinterpretAsFixedString(pair.2)
      FROM (SELECT arrayJoin(arrayZip({project_of:Array(UInt32)}, {trace_numbers:Array(UInt128)})) AS pair)
  )
ORDER BY project_id, trace_id, start_ns, span_id
LIMIT {per_trace:UInt32} BY project_id, trace_id
