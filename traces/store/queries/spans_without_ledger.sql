-- Spans that the table has and the ledger, since it was begun, has not.
SELECT uniqExact(trace_id, span_id) AS spans, min(received_ns) AS first_ns
FROM spans
WHERE project_id = {project_id:UUID}
  AND bucket_time >= toDateTime(greatest(toInt64(intDiv({since_ns:UInt64}, 1000000000)) - 16329600, 0), 'UTC')
  AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
  AND received_ns >= (SELECT min(received_ns) FROM ingested WHERE project_id = {project_id:UUID})
  AND cityHash64(trace_id, span_id) NOT IN (
      SELECT span_hash FROM ingested
      WHERE project_id = {project_id:UUID}
        AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
  )
