-- The settled rows of some traces as they are stored, all columns, of each the newest, where the cost
-- is not what its counted spans add up to; after an estimate all of them.
SELECT settled.*
FROM
(
    SELECT *
    FROM traces
    WHERE project_id = {project_id:UUID}
      AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
    ORDER BY generation DESC, settled_at DESC
    LIMIT 1 BY trace_id
) AS settled
LEFT JOIN
(
    SELECT trace_id, groupArray((span_id, cost_usd)) AS costs
    FROM
    (
        SELECT trace_id, span_id,
            if(prefers_computed, coalesce(computed_cost_usd, reported_cost_usd),
                coalesce(reported_cost_usd, computed_cost_usd)) AS cost_usd
        FROM spans
        WHERE project_id = {project_id:UUID}
          AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
          AND toStartOfHour(bucket_time) >= (
              SELECT min(toStartOfHour(first_bucket)) FROM trace_index
              WHERE project_id = {project_id:UUID}
                AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
          )
        ORDER BY version DESC
        LIMIT 1 BY trace_id, span_id
    )
    WHERE cost_usd IS NOT NULL
    GROUP BY trace_id
) AS priced ON priced.trace_id = settled.trace_id
WHERE if(
    arrayExists(pair -> NOT has(settled.uncounted_span_ids, pair.1), priced.costs),
    arraySum(arrayMap(pair -> if(has(settled.uncounted_span_ids, pair.1), 0, assumeNotNull(pair.2)), priced.costs)),
    -1) != ifNull(settled.cost_usd, -1)
   OR {has_estimated:Bool}
LIMIT {limit:UInt32}
