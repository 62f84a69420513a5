-- What the engine's ledger says reached it of acknowledged requests: rows by receipt, and spans.
SELECT uniqExact(received_ns, span_hash) AS stored, uniqExact(span_hash) AS spans
FROM ingested
WHERE project_id = {project_id:UUID}
  AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
  AND received_ns IN (
      SELECT received_ns FROM receipts
      WHERE project_id = {project_id:UUID} AND kind = 'stored'
        AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
  )
