-- How many spans each rule of a project dropped in a window of receipt, most first.
SELECT
    counted.1 AS rule,
    sum(counted.2) AS spans,
    max(received_at) AS last_seen
FROM receipts FINAL
ARRAY JOIN CAST(dropped_by, 'Array(Tuple(String, UInt64))') AS counted
WHERE project_id = {project_id:UUID}
  AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
GROUP BY rule
ORDER BY spans DESC, rule
LIMIT {limit:UInt32}
