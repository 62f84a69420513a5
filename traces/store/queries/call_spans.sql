-- The spans of some traces as far as tool calls are told from them: content of tools and retrievals, and on
-- demand of the messages to and from models. A span that was sent again may be there twice.
SELECT
    trace_id, span_id, parent_span_id, version, name, kind, status, start_ns, end_ns, is_local_root, agent_name,
    tool_name, tool_call_id, error_type, error_message, status_message, events_json, scope_json,
    attributes_json['traceroot.internal'] AS internal_json,
    if(kind IN ('tool', 'retriever') OR ({with_messages:Bool} AND kind IN ('llm', 'agent')), input, '') AS content_in,
    if(kind IN ('tool', 'retriever') OR ({with_messages:Bool} AND kind IN ('llm', 'agent')), output, '') AS content_out
FROM spans
WHERE project_id = {project_id:UUID}
  AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
  AND toStartOfHour(bucket_time) >= (
      SELECT min(toStartOfHour(first_bucket)) FROM trace_index
      WHERE project_id = {project_id:UUID}
        AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
  )
  AND stored_at >= (
      SELECT min(trace_index.first_stored_at) FROM trace_index
      WHERE project_id = {project_id:UUID}
        AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
  )
ORDER BY trace_id, start_ns, span_id
LIMIT {per_trace:UInt32} BY trace_id
