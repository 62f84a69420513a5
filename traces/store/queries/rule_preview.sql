-- Of the spans that a project stored since a moment, how many a rule would have dropped.
SELECT
    count() AS spans,
    countIf((status != 'error' OR {drops_failed:Bool}) AND ({value})) AS dropped
FROM spans
WHERE project_id = {project_id:UUID}
  AND bucket_time >= toDateTime({since:Int64}, 'UTC')
