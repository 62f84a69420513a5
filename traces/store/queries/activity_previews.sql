-- What the last traces of sessions or users were asked and answered, by the key of their rows.
SELECT trace_id, input_preview, output_preview
FROM traces FINAL
WHERE project_id = {project_id:UUID}
  AND bucket_hour IN (SELECT toDateTime(arrayJoin({hours:Array(Int64)}), 'UTC'))
  AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({trace_ids:Array(String)})), 16))
LIMIT {limit:UInt32}
