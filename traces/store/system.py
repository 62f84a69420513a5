"""The few reads that must cross projects: settling and sweeping. Nothing shown to a person comes from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from traces.store import client, statements

# The allow-list: query files that carry no project predicate, each for a named reason.
QUERY_FILES = {
    "system_unsettled": "settle finds quiet traces of all projects in one query",
    "system_spans_of_traces": "settle reads the spans of those traces, by (project, trace) pairs",
    "system_settled_since": "the detectors' sweep queues settled traces of all projects in one query",
    "system_clock": "the engine's clock; reads no table",
}
_MAX_SPANS = 2_000_000


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A quiet trace whose spans are newer than its settled row (`generation` 0: it has none)."""

    project_id: UUID
    trace_id: bytes
    last_stored_at: datetime
    first_bucket: int
    last_bucket: int
    retention_days: int
    generation: int
    bucket_hour: int


@dataclass(frozen=True, slots=True)
class SettledTrace:
    project_id: UUID
    trace_id: bytes
    generation: int
    settled_at: datetime
    is_evaluation: bool


class SystemReader:
    """Cross-project reads, each a named query of `QUERY_FILES`."""

    def unsettled(
        self, *, lookback_seconds: int, quiet_seconds: int, silence_seconds: int, limit: int
    ) -> list[Unsettled]:
        """Quiet traces to settle, the longest waiting first."""
        found = _query(
            "system_unsettled",
            {
                "lookback_seconds": lookback_seconds,
                "quiet_seconds": quiet_seconds,
                "silence_seconds": silence_seconds,
                "limit": limit,
            },
        )
        return [
            Unsettled(
                project_id=row["project_id"],
                trace_id=row["trace_id"],
                last_stored_at=row["last_stored_at"],
                first_bucket=row["first_bucket"],
                last_bucket=row["last_bucket"],
                retention_days=row["retention_days"],
                generation=row["generation"],
                bucket_hour=row["bucket_hour"] if row["generation"] else row["first_bucket"] // 3600 * 3600,
            )
            for row in found
        ]

    def spans_of(self, traces: Sequence[Unsettled]) -> list[dict[str, Any]]:
        """Deduplicated spans of these traces, as `totals.summarize_all` takes them."""
        return _query(
            "system_spans_of_traces",
            {
                "first_bucket": min(trace.first_bucket for trace in traces),
                "last_bucket": max(trace.last_bucket for trace in traces),
                "project_ids": [str(trace.project_id) for trace in traces],
                "trace_ids": [trace.trace_id.hex() for trace in traces],
                "limit": _MAX_SPANS,
            },
        )

    def settled_since(self, cursor: datetime, *, limit: int = 1000) -> list[SettledTrace]:
        """Generations that settled after the cursor (the engine's clock), oldest first."""
        found = _query("system_settled_since", {"cursor": cursor, "limit": limit})
        return [SettledTrace(**row) for row in found]

    def clock(self) -> datetime:
        """The engine's clock."""
        now = _query("system_clock", {})[0]["engine_now"]
        assert isinstance(now, datetime)
        return now


def _query(name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    assert name in QUERY_FILES
    return client.query(statements.text(name), parameters)
