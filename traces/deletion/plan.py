"""Every table of the trace store, and how what a trace left there is found.

A test compares it with the engine's own list of columns: a new table cannot be forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """`by_trace`: rows that carry the trace's id. `by_person`: rows that name a session and user
    and may belong to no trace. `keeps`: why rows stay while the project does."""

    name: str
    by_trace: bool = True
    by_person: bool = False
    has_window: bool = False
    keeps: str = ""


PLAN = (
    Table("spans", has_window=True),
    Table("logs", by_person=True),
    Table("agent_usage", by_trace=False, by_person=True),
    Table("verdicts"),
    Table("trace_marks"),
    Table("traces"),
    Table(
        "receipts",
        by_trace=False,
        keeps="figures of requests; texts that quote spans are emptied (erasing.empty_samples)",
    ),
    Table("ingested", by_trace=False, keeps="times and hashes of ids, for `reconcile`"),
    # Last: it says in which time the spans of a trace lie.
    Table("trace_index"),
)
NAMES = tuple(table.name for table in PLAN)
