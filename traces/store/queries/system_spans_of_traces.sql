-- All projects: the deduplicated spans of a list of traces; of content only as much as a preview
-- needs, and of spans that are no root only as much as is asked for: sorting it is most of the work.
-- The first spans of each, so that one huge trace leaves room for the others.
SELECT *
FROM
(
    SELECT
        project_id, trace_id, span_id, parent_span_id, name, kind, status, start_ns, end_ns, is_local_root,
        agent_name, tool_name, model, session_id, user_id, environment, release, service_name, tags,
        metadata, trace_name, trace_tags, trace_metadata, is_evaluation, git_repo, git_ref, has_usage,
        uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
        output_tokens, reasoning_tokens,
        if(prefers_computed, coalesce(computed_cost_usd, reported_cost_usd),
            coalesce(reported_cost_usd, computed_cost_usd)) AS cost_usd, stored_at,
        error_type, if(status = 'error', substringUTF8(error_message, 1, 2000), '') AS error_message,
        if(is_local_root, substringUTF8(input, 1, 32768),
            if({inner_chars:UInt32} = 0, '', substringUTF8(input, 1, {inner_chars:UInt32}))) AS input,
        if(is_local_root, substringUTF8(output, 1, 32768),
            if({inner_chars:UInt32} = 0, '', substringUTF8(output, 1, {inner_chars:UInt32}))) AS output
    FROM spans
    WHERE bucket_time >= toDateTime({first_bucket:Int64}, 'UTC') AND bucket_time <= toDateTime({last_bucket:Int64}, 'UTC')
      AND (project_id, trace_id) IN (
          SELECT toUUID(pair.1), toFixedString(unhex(pair.2), 16)
          FROM (SELECT arrayJoin(arrayZip({project_ids:Array(String)}, {trace_ids:Array(String)})) AS pair)
      )
    ORDER BY version DESC
    LIMIT 1 BY project_id, trace_id, span_id
)
ORDER BY project_id, trace_id, start_ns, span_id
LIMIT {per_trace:UInt32} BY project_id, trace_id
