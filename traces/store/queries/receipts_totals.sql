-- What a project's senders were told in a window of receipt, added up.
SELECT
    count() AS requests,
    sum(accepted) AS accepted,
    sum(unique_spans) AS unique_spans,
    sum(rejected) AS rejected,
    sum(dropped) AS dropped
FROM receipts FINAL
WHERE project_id = {project_id:UUID} AND kind = 'stored'
  AND received_ns >= {since_ns:UInt64} AND received_ns < {until_ns:UInt64}
