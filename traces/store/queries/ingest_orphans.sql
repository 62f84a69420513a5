-- Spans whose parent never came, of traces that settled in a window.
SELECT sum(orphan_spans) AS orphans, count() AS traces
FROM traces FINAL
WHERE project_id = {project_id:UUID} AND settled_at >= {since:DateTime64(3, 'UTC')}
