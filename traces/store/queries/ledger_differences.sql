-- Requests of which receipt and ledger say different things; without a receipt, `receipts` is 0.
SELECT received_ns, receipts, promised, stored
FROM
(
    SELECT received_ns, uniqExact(span_hash) AS stored
    FROM ingested
    WHERE project_id = {project_id:UUID}
      AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
    GROUP BY received_ns
) AS ledger
FULL OUTER JOIN
(
    SELECT received_ns, sum(unique_spans) AS promised, count() AS receipts
    FROM receipts FINAL
    WHERE project_id = {project_id:UUID} AND kind = 'stored'
      AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
    GROUP BY received_ns
) AS told USING (received_ns)
WHERE stored != promised
ORDER BY received_ns
LIMIT {limit:UInt32}
