-- Which attribute gave which field, as one text: spans of one make share it, and it is written as a
-- word of a dictionary instead of thirty. The map can still be inserted, by what was spooled before.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS sources_json LowCardinality(String)
    DEFAULT toJSONString(sources) AFTER price_version;

ALTER TABLE spans MATERIALIZE COLUMN sources_json SETTINGS mutations_sync = 2;

ALTER TABLE spans MODIFY COLUMN sources_json REMOVE DEFAULT;

ALTER TABLE spans DROP COLUMN IF EXISTS sources SETTINGS mutations_sync = 2;

ALTER TABLE spans ADD COLUMN IF NOT EXISTS
    sources Map(LowCardinality(String), LowCardinality(String))
    EPHEMERAL defaultValueOfTypeName('Map(LowCardinality(String), LowCardinality(String))');

ALTER TABLE spans MODIFY COLUMN sources_json LowCardinality(String) DEFAULT toJSONString(sources)
