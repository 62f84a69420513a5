-- Settles the generated traces whose root began from `since` to before `until`, as settling would.
INSERT INTO traces
(
    project_id, bucket_hour, trace_id, generation, settled_at, settled_through, start_ns, end_ns, name, kind,
    status, error_count, span_count, input_preview, output_preview, session_id, user_id, environment,
    release, service_name, agents, tools, models, tags, metadata, git_repo, git_ref, has_usage,
    uncached_input_tokens, cache_read_tokens, output_tokens, cost_usd, usage_shares
)
SELECT
    project_id, toStartOfHour(min(first)), trace_id, 1, max(stored) + toIntervalSecond(10), max(stored),
    min(began), max(ended), max(root_name), 'agent', if(max(root_failed), 'error', 'ok'), sum(errors), sum(spans),
    max(asked), max(answered), any(session), any(user), any(env), any(rel), any(service),
    arrayFilter(x -> x != '', groupUniqArray(agent_name)),
    arrayFilter(x -> x != '', groupUniqArrayArray(tool_names)), arrayFilter(x -> x != '', groupUniqArray(model)),
    groupUniqArrayArray(tag_names), maxMap(facts), any(repo), any(ref), 1, sum(uncached), sum(cached), sum(said),
    sum(cost), groupArrayIf((model, agent_name, toUInt32(spans), toUInt32(0), uncached + cached, said,
        ifNull(cost, 0)), model != '')
FROM
(
    SELECT
        project_id, trace_id, model, agent_name,
        min(bucket_time) AS first, max(stored_at) AS stored, min(start_ns) AS began, max(end_ns) AS ended,
        max(is_local_root AND bucket_time >= toDateTime({since:Int64}, 'UTC')
            AND bucket_time < toDateTime({until:Int64}, 'UTC')) AS is_wanted,
        maxIf(name, is_local_root) AS root_name, max(is_local_root AND status = 'error') AS root_failed,
        countIf(status = 'error') AS errors, count() AS spans, maxIf(input, is_local_root) AS asked,
        maxIf(output, is_local_root) AS answered, any(session_id) AS session, any(user_id) AS user,
        any(environment) AS env, any(release) AS rel, any(service_name) AS service,
        groupUniqArray(tool_name) AS tool_names, groupUniqArrayArray(tags) AS tag_names,
        maxMap(mapFromArrays(mapKeys(metadata), mapValues(metadata))) AS facts,
        any(git_repo) AS repo, any(git_ref) AS ref, sum(uncached_input_tokens) AS uncached,
        sum(cache_read_tokens) AS cached, sum(output_tokens) AS said, sum(computed_cost_usd) AS cost
    FROM spans
    WHERE bucket_time >= toDateTime({since:Int64}, 'UTC') AND bucket_time < toDateTime({until:Int64}, 'UTC') + 3600
    GROUP BY project_id, trace_id, model, agent_name
)
GROUP BY project_id, trace_id
HAVING max(is_wanted)
