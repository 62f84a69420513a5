-- What a failed run says of its failure, where it has no output to show.
ALTER TABLE traces ADD COLUMN IF NOT EXISTS error_preview String CODEC(ZSTD(1)) AFTER output_preview;
