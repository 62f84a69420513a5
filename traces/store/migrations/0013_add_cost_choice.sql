-- Which of a span's two costs counts, where both are known: by its project's rule when it was priced.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS prefers_computed Bool AFTER price_version;
