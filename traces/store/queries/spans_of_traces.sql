-- The deduplicated spans of a few traces of one project, with short previews instead of content.
-- The first spans of each, so that one huge trace leaves room for the others.
SELECT *
FROM
(
    SELECT
        project_id, trace_id, span_id, parent_span_id, name, kind, status, start_ns, end_ns, is_local_root,
        agent_name, tool_name, model, session_id, user_id, environment, release, service_name, tags,
        metadata, trace_name, trace_tags, trace_metadata, is_evaluation, git_repo, git_ref, has_usage,
        uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
        output_tokens, reasoning_tokens, is_estimated,
        if(prefers_computed, coalesce(computed_cost_usd, reported_cost_usd),
            coalesce(reported_cost_usd, computed_cost_usd)) AS cost_usd, stored_at,
        error_type, if(status = 'error', substringUTF8(error_message, 1, 2000), '') AS error_message,
        substringUTF8(input, 1, if(is_local_root, 32768, 2000)) AS input,
        substringUTF8(output, 1, if(is_local_root, 32768, 2000)) AS output
    FROM spans
    WHERE project_id = {project_id:UUID}
      AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
      AND (toStartOfHour(bucket_time)) >= (
          SELECT min(toStartOfHour(first_bucket)) FROM trace_index
          WHERE project_id = {project_id:UUID}
            AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
      )
    ORDER BY version DESC
    LIMIT 1 BY project_id, trace_id, span_id
)
ORDER BY trace_id, start_ns, span_id
LIMIT {per_trace:UInt32} BY trace_id
