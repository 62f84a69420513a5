-- What each of these projects sent since a moment, decompressed, as receipts say.
SELECT project_id, sum(body_bytes) AS bytes
FROM receipts FINAL
WHERE project_id IN {project_ids:Array(UUID)} AND kind != 'refused'
  AND received_ns >= {since_ns:UInt64}
GROUP BY project_id
ORDER BY project_id
LIMIT {limit:UInt32}
