-- Ingest of a project by key, in a window of receipt.
SELECT
    key_id,
    sumIf(receipts.requests, kind = 'stored') AS requests,
    sum(accepted) AS accepted,
    sum(unique_spans) AS unique_spans,
    sumIf(receipts.truncated, kind = 'stored') AS truncated,
    sumIf(receipts.rejected, kind = 'stored') AS rejected,
    sum(dropped) AS dropped,
    sum(quarantined) AS quarantined,
    sum(late) AS late,
    sumIf(records, kind = 'logs') AS logs,
    sumIf(receipts.rejected, kind = 'logs') AS logs_rejected,
    sumIf(receipts.truncated, kind = 'logs') AS logs_truncated,
    sumIf(records, kind = 'metrics') AS points,
    sumIf(receipts.rejected, kind = 'metrics') AS points_rejected,
    sumIf(receipts.truncated, kind = 'metrics') AS points_truncated,
    sumIf(receipts.requests, is_spooled) AS spooled_requests,
    sum(compressed_bytes) AS compressed_bytes,
    sum(body_bytes) AS body_bytes,
    sumIf(receipts.requests, kind = 'refused') AS refused_requests,
    max(received_at) AS last_seen,
    arraySort(groupUniqArrayIf(8)(
        trimBoth(concat(sdk_language, ' ', sdk_name, ' ', sdk_version)), sdk_name != '')) AS sdks,
    arraySort(groupUniqArrayIf(4)(receipts.encoding, receipts.encoding != '')) AS encodings
FROM receipts FINAL
WHERE project_id = {project_id:UUID}
  AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
GROUP BY key_id
ORDER BY accepted DESC, key_id
LIMIT {limit:UInt32}
