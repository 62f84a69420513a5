"""Deleting traces for good: asked for, worked off from both stores, proven by a receipt.

Way in: `asking`. `work` goes through the phases; `plan` names every table of the trace store,
`waiting_rows` knows spool and quarantine, `holders` calls the stages above. `tombstones` keep out
what a client sends again.
"""
