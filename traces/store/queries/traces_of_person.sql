-- Traces of which a span or log record names this session or user (an empty one: nobody), in the order
-- of their ids.
SELECT DISTINCT trace_id
FROM
(
    SELECT trace_id FROM spans
    WHERE project_id = {project_id:UUID}
      AND ((notEmpty({session_id:String}) AND session_id = {session_id:String})
          OR (notEmpty({user_id:String}) AND user_id = {user_id:String}))
    UNION ALL
    SELECT trace_id FROM logs
    WHERE project_id = {project_id:UUID}
      AND ((notEmpty({session_id:String}) AND session_id = {session_id:String})
          OR (notEmpty({user_id:String}) AND user_id = {user_id:String}))
    UNION ALL
    SELECT trace_id FROM traces
    WHERE project_id = {project_id:UUID}
      AND ((notEmpty({session_id:String}) AND session_id = {session_id:String})
          OR (notEmpty({user_id:String}) AND user_id = {user_id:String}))
)
WHERE trace_id > toFixedString(unhex({after:String}), 16)
ORDER BY trace_id
LIMIT {limit:UInt32}
