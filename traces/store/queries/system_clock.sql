-- The engine's clock, by which every stage after storing keeps its cursor.
SELECT now64(3, 'UTC') AS engine_now
