-- Which prompt a model call used: a hash of its system prompt's skeleton, its tools and its model.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS prompt_hash LowCardinality(String) DEFAULT '' AFTER prompt_version
