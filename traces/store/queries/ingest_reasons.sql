-- Why spans, log records and data points were rejected and requests refused in a window, most
-- frequent first, with examples.
SELECT
    counted.1 AS reason,
    if(kind = 'refused', status, 0) AS refused_with,
    toString(kind) AS kind_,
    sum(counted.2) AS times,
    min(received_at) AS first_seen,
    max(received_at) AS last_seen,
    arraySort(groupUniqArray(5)(key_id)) AS keys,
    groupUniqArrayArray(3)(arrayFilter(said -> position(said, counted.1) > 0, receipts.samples)) AS samples
FROM receipts FINAL
ARRAY JOIN CAST(reasons, 'Array(Tuple(String, UInt64))') AS counted
WHERE project_id = {project_id:UUID}
  AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
GROUP BY reason, refused_with, kind_
ORDER BY times DESC, reason
LIMIT {limit:UInt32}
