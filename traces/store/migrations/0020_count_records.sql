-- Log records or metrics' data points of a request that were taken; spans have columns of their own.
ALTER TABLE receipts ADD COLUMN IF NOT EXISTS records UInt32 AFTER late;
