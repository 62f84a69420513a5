-- The totals of some sessions or users, and where the last trace of each is.
SELECT
    {value} AS id,
    min(start_ns) AS first_ns,
    max(end_ns) AS last_ns,
    count() AS traces,
    sum(span_count) AS spans,
    countIf(status = 'error') AS failed_traces,
    sum(error_count) AS errors,
    uniqExactIf(session_id, session_id != '') AS sessions,
    groupUniqArrayIf(5)(user_id, user_id != '') AS some_users,
    uniqExactIf(user_id, user_id != '') AS users,
    sum(cost_usd) AS cost_usd,
    sum(unpriced_spans) AS unpriced_spans,
    sum(uncached_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    argMax(trace_id, (start_ns, trace_id)) AS last_trace_id,
    toUnixTimestamp(argMax(bucket_hour, (start_ns, trace_id))) AS last_trace_hour
FROM traces FINAL
WHERE project_id = {project_id:UUID}
  AND bucket_hour >= toDateTime({first_hour:Int64}, 'UTC') AND bucket_hour <= toDateTime({last_hour:Int64}, 'UTC')
  AND start_ns >= {since_ns:UInt64} AND start_ns < {until_ns:UInt64}
  AND (is_evaluation = 0 OR {include_evaluations:Bool})
  AND {value} IN {ids:Array(String)}
  {filter}
GROUP BY id
LIMIT {limit:UInt32}
