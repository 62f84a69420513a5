-- Which trace says which of the searched words in its findings, status messages and exceptions.
-- Part of a list's filter. Spans are read within a time range only, and only those that say something.
SELECT trace_id, arrayJoin(arrayFilter(term -> positionCaseInsensitiveUTF8(said, term) > 0, {terms:Array(String)}))
FROM
(
    SELECT trace_id, label AS said
    FROM trace_marks FINAL
    WHERE project_id = {project_id:UUID} AND name = 'finding' AND NOT is_removed
    UNION ALL
    SELECT
        trace_id,
        arrayStringConcat(arrayConcat([status_message, error_type, error_message], arrayMap(
            attribute -> JSONExtractString(attribute, 'value', 'stringValue'),
            arrayFilter(
                attribute -> JSONExtractString(attribute, 'key') IN ('exception.type', 'exception.message'),
                arrayFlatten(arrayMap(
                    event -> JSONExtractArrayRaw(JSONExtractString(event, 3)),
                    arrayFilter(event -> JSONExtractString(event, 2) = 'exception', JSONExtractArrayRaw(events_json))))
            ))), '\n') AS said
    FROM spans
    WHERE project_id = {project_id:UUID}
      -- A trace's errors come within a week of its start. Without a range the newest days are read.
      AND bucket_time <= toDateTime(least(toUnixTimestamp(now()), intDiv({until_ns:UInt64}, 1000000000)) + 7 * 86400, 'UTC')
      AND bucket_time >= toDateTime(greatest(0, if({since:Int64} > 0, {since:Int64} - 86400,
          toInt64(least(toUnixTimestamp(now()), intDiv({until_ns:UInt64}, 1000000000))) - {error_text_days:Int64} * 86400)), 'UTC')
      AND (status_message != '' OR error_type != '' OR error_message != '')
)
