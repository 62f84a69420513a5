-- Spans that the table has and the ledger, since it was begun, has not: `spans` of acknowledged requests,
-- `cut_short` of an INSERT in which the engine died, which nobody was told of.
SELECT
    uniqExactIf((trace_id, span_id), is_receipted) AS spans,
    uniqExactIf((trace_id, span_id), NOT is_receipted) AS cut_short
FROM
(
    SELECT
        trace_id, span_id,
        received_ns IN (
            SELECT received_ns FROM receipts
            WHERE project_id = {project_id:UUID} AND kind = 'stored'
              AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
        ) AS is_receipted
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
)
