-- What was cut of a span at ingest: JSON, place to full length; empty for what is whole.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS truncated String DEFAULT '' CODEC(ZSTD(1));

-- How many spans of a request each of the project's rules dropped.
ALTER TABLE receipts ADD COLUMN IF NOT EXISTS dropped_by Map(LowCardinality(String), UInt64);
