-- Newest settled traces of a project, one row a trace, with the labels of their findings.
SELECT
    trace_id, name, kind, status, start_ns, end_ns, span_count, error_count, session_id, user_id,
    input_preview, output_preview, environment, release, service_name, models, agents, tools, tags,
    metadata, git_repo, git_ref, has_usage, uncached_input_tokens, cache_read_tokens,
    cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, cost_usd,
    unpriced_spans, uncounted_span_ids, orphan_spans, is_rootless, generation, settled_at,
    is_evaluation, findings
FROM
(
    SELECT *
    FROM traces FINAL
    WHERE project_id = {project_id:UUID}
      AND bucket_hour >= toDateTime(greatest({since:Int64} - 86400, 0), 'UTC')
      AND start_ns >= {since_ns:UInt64} AND start_ns < {until_ns:UInt64}
      AND (start_ns, trace_id) < ({before_ns:UInt64}, toFixedString(unhex({before_id:String}), 16))
      AND (is_evaluation = 0 OR {include_evaluations:Bool})
      {filter}
    ORDER BY start_ns DESC, trace_id DESC
    LIMIT {limit:UInt32}
) AS page
LEFT JOIN
(
    SELECT trace_id, groupUniqArray(8)(label) AS findings
    FROM trace_marks FINAL
    WHERE project_id = {project_id:UUID} AND name = 'finding' AND NOT is_removed
    GROUP BY trace_id
) AS marks USING (trace_id)
ORDER BY start_ns DESC, trace_id DESC
