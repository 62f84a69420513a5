-- Tokens that no call reported, estimated later from its texts. A span's row says so beside its sources;
-- like a new price it is written by a new version of the row, never at ingest.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS is_estimated Bool DEFAULT false;

ALTER TABLE traces ADD COLUMN IF NOT EXISTS estimated_tokens UInt64 AFTER reasoning_tokens;

-- Calls that report no usage and have a text: what there is to estimate.
ALTER TABLE traces ADD COLUMN IF NOT EXISTS unreported_calls UInt32 AFTER estimated_tokens;
