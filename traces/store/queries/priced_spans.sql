-- What decides the price of a project's spans in a part of an hour, newest version of each, by key.
-- Of the attributes only those that prices read; content only where such an attribute is kept there.
SELECT
    trace_id, span_id, version, toUnixTimestamp(bucket_time) AS bucket, kind, provider, model, start_ns,
    has_usage, uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    output_tokens, reasoning_tokens, other_usage, reported_cost_usd, computed_cost_usd, price_version,
    prefers_computed,
    mapFilter((k, v) -> has({attributes:Array(String)}, toString(k)), attributes_string) AS attributes_string,
    mapFilter((k, v) -> has({attributes:Array(String)}, toString(k)), attributes_json) AS attributes_json,
    if(has(mapValues(attributes_json), '@input'), spans.input, '') AS input,
    if(has(mapValues(attributes_json), '@output'), spans.output, '') AS output
FROM spans
WHERE project_id = {project_id:UUID}
  AND bucket_time >= toDateTime({since:Int64}, 'UTC') AND bucket_time < toDateTime({until:Int64}, 'UTC')
  AND (trace_id, span_id) > (toFixedString(unhex({after_trace:String}), 16), toFixedString(unhex({after_span:String}), 8))
  AND model != '' AND (has_usage OR kind IN ('llm', 'embedding', 'reranker'))
ORDER BY trace_id, span_id, version DESC
LIMIT 1 BY trace_id, span_id
LIMIT {limit:UInt32}
