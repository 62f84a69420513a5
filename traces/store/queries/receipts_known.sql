-- Which of these receipt times of a project have a receipt.
SELECT DISTINCT received_ns
FROM receipts
WHERE project_id = {project_id:UUID} AND kind = 'stored'
  AND received_ns IN {received_ns:Array(UInt64)}
