-- Figures of spans by model, agent or tool in a time range, of one release or of all ('').
-- Usage that a settled trace does not count (a wrapper that restates it) is not added up here either.
SELECT
    {value} AS value,
    count() AS spans,
    countIf(status = 'error') AS errors,
    quantilesIf(0.5, 0.95)(end_ns - start_ns, end_ns >= start_ns) AS durations,
    sumIf(counted_usd, NOT is_restated) AS cost_usd,
    sumIf(uncached_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens,
        NOT is_restated) AS input_tokens,
    sumIf(output_tokens, NOT is_restated) AS output_tokens
FROM
(
    SELECT *, if(prefers_computed, coalesce(computed_cost_usd, reported_cost_usd),
            coalesce(reported_cost_usd, computed_cost_usd)) AS counted_usd,
        has_usage AND (trace_id, span_id) IN (
        SELECT trace_id, arrayJoin(uncounted_span_ids)
        FROM traces
        WHERE project_id = {project_id:UUID}
          AND bucket_hour >= toDateTime(greatest({since:Int64} - 7 * 86400, 0), 'UTC')
          AND bucket_hour <= toDateTime({until:Int64}, 'UTC')
          AND notEmpty(uncounted_span_ids)
    ) AS is_restated
    FROM spans FINAL
    WHERE project_id = {project_id:UUID}
      AND bucket_time >= toDateTime({since:Int64}, 'UTC') AND bucket_time < toDateTime({until:Int64}, 'UTC')
      AND {release:String} IN ('', release)
      -- one span marks its whole trace
      AND ({include_evaluations:Bool} OR trace_id NOT IN (
          SELECT trace_id FROM trace_index WHERE project_id = {project_id:UUID} AND is_evaluation = 1))
)
WHERE value != ''
GROUP BY value
ORDER BY spans DESC, value
LIMIT {limit:UInt32}
