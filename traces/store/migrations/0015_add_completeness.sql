-- What the stages behind ingest ask of every span is worked out once, while its content is in memory:
-- settling, and passing over what no check can object to, then read nothing large again.

-- Short content of local roots, for previews: of text its beginning, JSON only whole.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS root_input String MATERIALIZED
    if(is_local_root AND (length(input) <= 2000 OR NOT match(input, '^[\\s\\pZ\\pC]*[\\[{"]')),
       substringUTF8(input, 1, 2000), '') CODEC(ZSTD(1));

ALTER TABLE spans ADD COLUMN IF NOT EXISTS root_output String MATERIALIZED
    if(is_local_root AND (length(output) <= 2000 OR NOT match(output, '^[\\s\\pZ\\pC]*[\\[{"]')),
       substringUTF8(output, 1, 2000), '') CODEC(ZSTD(1));

-- A tool that may have failed, taken generously: status error, an exception, or an answer that may be
-- an error: of JSON whatever in it may say so, of text how it begins, or a traceback in it.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS may_have_failed Bool MATERIALIZED
    if(kind NOT IN ('tool', 'retriever'), false,
       status = 'error' OR position(events_json, '"exception"') > 0
       OR if(match(output, '^[\\s\\pZ\\pC]*[\\[{"]'),
             match(replaceRegexpAll(output, '(?i)"(?:(?:is|has)_?error|errors?|exception|error_?message)"\\s*:\\s*(?:null|false|""|\\[\\s*\\]|\\{\\s*\\})', ''),
                   '(?i)error|except[iıİ]on|fa[iıİ]l|traceback|t[iıİ]med|(?-i:Timeout|Interrupt)|fatal:|bash:|ex[iıİ]t(?:ed|.{0,6}code|.{0,6}status)|return.{0,6}code|https?(?:\\W|\\\\+[nrt])[45]|(?:success|ok|succeeded)\\\\*"[\\s\\\\nrt]*:[\\s\\\\nrt]*false|(?:code|status)\\\\*"[\\s\\\\nrt]*:[\\s\\\\nrt]*(?:[45]|\\\\*"(?:[45]|[^ -~]|\\\\))|\\\\u(?:00[0-7]|0085|00a0|013[01]|017f|1680|200|202|205f|212a|3000)'),
             match(output, '^\\W*(?:(?i:(?:[a-zıİ]+\\W)?error|fa[iıİ]l|except[iıİ]on|an?\\W+(?:unexpected\\W+|[iıİ]nternal\\W+)?(?:error|except[iıİ]on)|tool[\\W_]|fatal:|bash:|(?:the\\W)?[a-zıİ]+\\W(?:has\\W)?t[iıİ]med|traceback|https?\\W(?:error|[45])|[45]\\S\\S\\W+(?:cl|serv)|ex[iıİ]t\\W?(?:code|status)|return\\W?code|process\\Wex[iıİ]ted)|\\S*(?:Error|Exception|Timeout|Interrupt))')
             OR position(output, 'Traceback (most recent call last):') > 0));

-- A tool's name with the first words of its answer: equal answers of one tool have equal hashes.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS answer_hash UInt64 MATERIALIZED
    if(kind IN ('tool', 'retriever') AND notEmpty(input),
       bitOr(cityHash64(if(tool_name = '', name, toString(tool_name)), splitByWhitespace(output, 64)), 1), 0);

-- Messages to or from a model that may hold results of tools, for frameworks without tool spans.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS may_tell_results Bool MATERIALIZED
    if(kind NOT IN ('llm', 'agent'), false,
       (position(input, 'tool') > 0 AND match(input, '^[\\s\\pZ\\pC]*[\\[{]')
        AND multiSearchAny(input, ['"tool"', '"function"', 'tool_call_response', 'tool_result', 'tool_response', '\\u00']))
       OR (position(output, 'tool') > 0 AND match(output, '^[\\s\\pZ\\pC]*[\\[{]')
        AND multiSearchAny(output, ['"tool"', '"function"', 'tool_call_response', 'tool_result', 'tool_response', '\\u00'])));

-- Spans of the machinery around an agent (HTTP, databases, RPC, queues) that carry no content.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS is_infrastructure Bool MATERIALIZED
    if(kind != 'span' OR notEmpty(input) OR notEmpty(output), false,
       hasAny(mapKeys(attributes_string), ['http.request.method', 'http.method', 'http.url', 'url.full', 'http.route',
           'db.system', 'db.system.name', 'rpc.system', 'rpc.system.name', 'messaging.system', 'faas.trigger',
           'asgi.event.type', 'network.protocol.name', 'celery.action']));

-- Rows that we wrote again with another price; nobody sent them.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS is_rewritten Bool DEFAULT false;

-- Rows that arrived, re-sent ones too. A row may show up behind the clock that its INSERT took at its
-- beginning; this tells that the settled row has not seen it.
ALTER TABLE trace_index ADD COLUMN IF NOT EXISTS arrived SimpleAggregateFunction(sum, UInt64);

ALTER TABLE trace_index_writer MODIFY QUERY
SELECT
    project_id,
    trace_id,
    retention_days,
    min(bucket_time) AS first_bucket,
    max(bucket_time) AS last_bucket,
    min(spans.start_ns) AS start_ns,
    max(spans.end_ns) AS end_ns,
    min(stored_at) AS first_stored_at,
    max(stored_at) AS last_stored_at,
    max(toUInt8(is_local_root AND spans.end_ns > 0)) AS root_ended,
    max(toUInt8(status = 'error')) AS has_error,
    max(toUInt8(spans.is_evaluation)) AS is_evaluation,
    max(if(is_local_root, name, '')) AS root_name,
    anyLast(name) AS any_name,
    max(spans.session_id) AS session_id,
    max(spans.user_id) AS user_id,
    countIf(NOT is_rewritten) AS arrived
FROM spans
GROUP BY project_id, trace_id, retention_days;

-- What settled before says "as many as there can be" where it does not know.
ALTER TABLE traces ADD COLUMN IF NOT EXISTS arrived UInt64;

ALTER TABLE traces ADD COLUMN IF NOT EXISTS failed_calls UInt32 DEFAULT 4294967295;

ALTER TABLE traces ADD COLUMN IF NOT EXISTS equal_calls UInt32 DEFAULT 4294967295;

ALTER TABLE traces ADD COLUMN IF NOT EXISTS has_told_calls Bool DEFAULT true;

-- How whole the trace is, 0 to 100, and what is missing.
ALTER TABLE traces ADD COLUMN IF NOT EXISTS completeness UInt8 DEFAULT 100;

ALTER TABLE traces ADD COLUMN IF NOT EXISTS missing Map(LowCardinality(String), UInt32);

ALTER TABLE traces ADD COLUMN IF NOT EXISTS infrastructure_spans UInt32;
