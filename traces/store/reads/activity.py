"""Sessions and users of the traced application: what each did, from settled traces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from traces.store import statements
from traces.store.filters import TraceFilter
from traces.store.reads.project import LIMITS, ProjectReads, from_cursor, to_cursor

Column = Literal["session_id", "user_id"]
MAX_PAGE = 500
_NEWEST = [2**64 - 1, ""]


@dataclass(frozen=True, slots=True)
class Activity:
    """One session or user. The previews are what its last trace was asked and answered."""

    id: str
    first_ns: int
    last_ns: int
    latest_start_ns: int
    traces: int
    spans: int
    failed_traces: int
    errors: int
    sessions: int
    users: int
    some_users: tuple[str, ...]
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    unpriced_spans: int
    last_trace_id: bytes
    input_preview: str
    output_preview: str


@dataclass(frozen=True, slots=True)
class ActivityPage:
    rows: list[Activity]
    next_cursor: str


class ActivityReads(ProjectReads):
    """Lists of sessions and users, the last active first."""

    def sessions(self, wanted: TraceFilter, *, limit: int = 50, cursor: str = "") -> ActivityPage:
        """Sessions with a matching trace; figures are of the matching traces. Raises BadCursor.

        The traces of one session are `traces(TraceFilter(session_id=...))`.
        """
        return self._activity("session_id", wanted, limit, cursor)

    def users(self, wanted: TraceFilter, *, limit: int = 50, cursor: str = "") -> ActivityPage:
        """Users with a matching trace, as `sessions` does it."""
        return self._activity("user_id", wanted, limit, cursor)

    def _activity(
        self, value: Column, wanted: TraceFilter, limit: int, cursor: str
    ) -> ActivityPage:
        limit = min(limit, MAX_PAGE)
        before_ns, before_id = from_cursor(cursor, "number", "text") if cursor else _NEWEST
        parameters = wanted.parameters()
        fragments = wanted.settled_fragments()
        page = self._query(
            statements.with_filter("activity_page", fragments, value=value),
            {**parameters, "before_ns": before_ns, "before_id": before_id, "limit": limit + 1},
            LIMITS,
        )
        shown = page[:limit]
        if not shown:
            return ActivityPage([], "")
        totals = self._query(
            statements.with_filter("activity_totals", fragments, value=value),
            {
                **parameters,
                "ids": [row["id"] for row in shown],
                "first_hour": min(row["first_hour"] for row in shown),
                "last_hour": max(row["last_hour"] for row in shown),
                "limit": limit,
            },
            LIMITS,
        )
        rows = self._rows(shown, {row["id"]: row for row in totals})
        last = shown[-1]
        more = len(page) > limit
        return ActivityPage(rows, to_cursor([last["latest_ns"], last["id"]]) if more else "")

    def _rows(
        self, shown: list[dict[str, Any]], totals: Mapping[str, dict[str, Any]]
    ) -> list[Activity]:
        # One that a later generation of its traces took away between the two reads is left out.
        known = [totals[row["id"]] for row in shown if row["id"] in totals]
        said = self._previews(known)
        latest = {row["id"]: row["latest_ns"] for row in shown}
        return [
            Activity(
                id=row["id"],
                first_ns=row["first_ns"],
                last_ns=row["last_ns"],
                latest_start_ns=latest[row["id"]],
                traces=row["traces"],
                spans=row["spans"],
                failed_traces=row["failed_traces"],
                errors=row["errors"],
                sessions=row["sessions"],
                users=row["users"],
                some_users=tuple(sorted(row["some_users"])),
                input_tokens=row["input_tokens"],
                output_tokens=row["output_tokens"],
                cost_usd=row["cost_usd"],
                unpriced_spans=row["unpriced_spans"],
                last_trace_id=row["last_trace_id"],
                input_preview=said.get(row["last_trace_id"], ("", ""))[0],
                output_preview=said.get(row["last_trace_id"], ("", ""))[1],
            )
            for row in known
        ]

    def _previews(self, rows: list[dict[str, Any]]) -> dict[bytes, tuple[str, str]]:
        found = self._query(
            statements.text("activity_previews"),
            {
                "hours": sorted({row["last_trace_hour"] for row in rows}),
                "trace_ids": [row["last_trace_id"].hex() for row in rows],
                "limit": len(rows),
            },
            LIMITS,
        )
        return {row["trace_id"]: (row["input_preview"], row["output_preview"]) for row in found}
