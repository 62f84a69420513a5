-- The labels of the findings of a page of traces.
SELECT trace_id, groupUniqArray(8)(label) AS findings
FROM trace_marks FINAL
WHERE project_id = {project_id:UUID}
  AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
  AND name = 'finding' AND NOT is_removed
GROUP BY trace_id
LIMIT {limit:UInt32}
