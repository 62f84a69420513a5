"""Token counts of calls that report none, estimated in the background from their texts and marked
as estimates everywhere (docs/decisions/0014)."""
