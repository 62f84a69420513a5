-- The newest verdict of each of some detectors on one trace that was passed at once, without a run.
SELECT detector_id, generation, outcome, summary, decided_at
FROM verdicts
WHERE project_id = {project_id:UUID}
  AND detector_id IN {detector_ids:Array(UUID)}
  AND trace_id = unhex({trace_id:String})
  AND run_id = toUUID('00000000-0000-0000-0000-000000000000')
ORDER BY generation DESC, version DESC
LIMIT 1 BY detector_id
