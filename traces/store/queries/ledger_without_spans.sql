-- Spans of the ledger that are not in the table: expired, deleted, or lost. The newest copy of a
-- span may lie anywhere from the clamp of the oldest receipt on.
SELECT uniqExact(span_hash) AS spans, min(received_ns) AS first_ns
FROM ingested
WHERE project_id = {project_id:UUID}
  AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
  AND span_hash NOT IN (
      SELECT cityHash64(trace_id, span_id) FROM spans
      WHERE project_id = {project_id:UUID}
        AND bucket_time >= toDateTime(greatest(toInt64(intDiv({since_ns:UInt64}, 1000000000)) - 16329600, 0), 'UTC')
  )
