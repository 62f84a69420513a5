-- How many traces each detector passed at once, without a run of its own, since a time.
SELECT detector_id, count() AS traces, max(decided_at) AS last
FROM verdicts
WHERE project_id = {project_id:UUID} AND decided_at >= {since:DateTime64(3, 'UTC')}
  AND run_id = toUUID('00000000-0000-0000-0000-000000000000')
GROUP BY detector_id
LIMIT 10000
