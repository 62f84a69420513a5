-- How many different spans a project's requests stored in a window, by key; the project's own figure
-- is the row of the nil key.
SELECT
    key_id,
    uniqExact(span_hash) AS spans,
    uniqExact(received_ns, span_hash) AS stored
FROM ingested
INNER JOIN
(
    SELECT DISTINCT received_ns, key_id FROM receipts
    WHERE project_id = {project_id:UUID} AND kind = 'stored'
      AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
) AS told USING (received_ns)
WHERE project_id = {project_id:UUID}
  AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
GROUP BY GROUPING SETS ((key_id), ())
