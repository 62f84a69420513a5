-- Spans whose parent never came, of traces that settled in a window, by the key that sent the first
-- spans of the trace; receipts are kept for two weeks, then it is the nil key.
SELECT
    if(told.key_id = toUUID('00000000-0000-0000-0000-000000000000'), NULL, told.key_id) AS key_id,
    sum(orphan_spans) AS orphans
FROM
(
    SELECT trace_id, orphan_spans
    FROM traces FINAL
    WHERE project_id = {project_id:UUID} AND settled_at >= {since:DateTime64(3, 'UTC')}
      AND orphan_spans > 0
) AS broken
LEFT JOIN
(
    SELECT trace_id, min(received_ns) AS received_ns
    FROM spans
    WHERE project_id = {project_id:UUID}
      AND trace_id IN (
          SELECT trace_id FROM traces
          WHERE project_id = {project_id:UUID} AND settled_at >= {since:DateTime64(3, 'UTC')}
            AND orphan_spans > 0)
      AND toStartOfHour(bucket_time) >= (
          SELECT min(toStartOfHour(first_bucket)) FROM trace_index
          WHERE project_id = {project_id:UUID} AND trace_id IN (
              SELECT trace_id FROM traces
              WHERE project_id = {project_id:UUID} AND settled_at >= {since:DateTime64(3, 'UTC')}
                AND orphan_spans > 0))
    GROUP BY trace_id
) AS sent USING (trace_id)
LEFT JOIN
(
    SELECT DISTINCT received_ns, key_id FROM receipts
    WHERE project_id = {project_id:UUID} AND kind = 'stored'
) AS told ON told.received_ns = sent.received_ns
GROUP BY key_id
