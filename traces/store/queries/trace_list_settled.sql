-- The rows of a page of settled traces by their keys: of each the newest generation.
SELECT
    trace_id, name, kind, status, start_ns, end_ns, span_count, error_count, session_id, user_id,
    input_preview, output_preview, error_preview, environment, release, service_name, models, agents, tools, tags,
    metadata, git_repo, git_ref, has_usage, uncached_input_tokens, cache_read_tokens,
    cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, cost_usd,
    unpriced_spans, uncounted_span_ids, orphan_spans, is_rootless, generation, settled_at, is_evaluation,
    completeness, missing, infrastructure_spans, estimated_tokens, unreported_calls
FROM traces FINAL
WHERE project_id = {project_id:UUID}
  AND (bucket_hour, trace_id) IN (
      SELECT toDateTime(pair.1, 'UTC'), toFixedString(unhex(pair.2), 16)
      FROM (SELECT arrayJoin(arrayZip({hours:Array(Int64)}, {trace_ids:Array(String)})) AS pair)
  )
LIMIT {limit:UInt32}
