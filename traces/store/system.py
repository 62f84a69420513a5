"""The few reads that must cross projects: settling and sweeping. No person is shown any of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from traces.store import client, statements

# The allow-list: query files that carry no project predicate, each for a named reason.
QUERY_FILES = {
    "system_unsettled": "settle finds quiet traces of all projects in one query",
    "system_spans_of_traces": "settle reads the spans of those traces, by (project, trace) pairs",
    "system_span_counts": "settle measures those traces first, to read them in bounded portions",
    "system_settled_since": "the detectors' sweep queues settled traces of all projects at once",
    "system_clock": "the engine's clock; reads no table",
}
MAX_SPANS_A_TRACE = 100_000
"""A summary is computed from so many spans of a trace, the first by start."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


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
        self,
        *,
        lookback_seconds: int,
        quiet_seconds: int,
        silence_seconds: int,
        limit: int,
        after: Unsettled | None = None,
    ) -> list[Unsettled]:
        """Quiet traces to settle, the longest waiting first; `after` the last of a batch before."""
        found = _query(
            "system_unsettled",
            {
                "lookback_seconds": lookback_seconds,
                "quiet_seconds": quiet_seconds,
                "silence_seconds": silence_seconds,
                "limit": limit,
                "after_at": after.last_stored_at if after else _BEGINNING,
                "after_project": str(after.project_id if after else UUID(int=0)),
                "after_trace": (after.trace_id if after else bytes(16)).hex(),
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
                bucket_hour=row["bucket_hour"] if row["generation"] else _hour(row["first_bucket"]),
            )
            for row in found
        ]

    def spans_of(
        self, traces: Sequence[Unsettled], *, inner_chars: int = 0
    ) -> list[dict[str, Any]]:
        """Deduplicated spans of these traces, as `totals.summarize_all` takes them.

        Those that are no local root come with so many characters of their input and output.
        """
        limits = {"per_trace": MAX_SPANS_A_TRACE, "inner_chars": inner_chars}
        return _query("system_spans_of_traces", {**_named(traces), **limits})

    def span_counts(self, traces: Sequence[Unsettled]) -> dict[tuple[UUID, bytes], int]:
        """How many spans each of these traces has; nothing for one that has none."""
        found = _query("system_span_counts", _named(traces))
        return {(row["project_id"], row["trace_id"]): row["spans"] for row in found}

    def settled_since(self, cursor: datetime, *, limit: int = 1000) -> list[SettledTrace]:
        """Generations that settled after the cursor (the engine's clock), oldest first."""
        found = _query("system_settled_since", {"cursor": cursor, "limit": limit})
        return [SettledTrace(**row) for row in found]

    def clock(self) -> datetime:
        """The engine's clock."""
        now = _query("system_clock", {})[0]["engine_now"]
        assert isinstance(now, datetime)
        return now


def _hour(seconds: int) -> int:
    return seconds // 3600 * 3600


def _named(traces: Sequence[Unsettled]) -> dict[str, Any]:
    return {
        "first_bucket": min(trace.first_bucket for trace in traces),
        "last_bucket": max(trace.last_bucket for trace in traces),
        "project_ids": [str(trace.project_id) for trace in traces],
        "trace_ids": [trace.trace_id.hex() for trace in traces],
    }


def _query(name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    assert name in QUERY_FILES
    return client.query(statements.text(name), parameters)
