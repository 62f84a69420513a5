"""Reads of one project. Everything that shows, judges or exports traces comes through here."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from traces import totals
from traces.spans import Span
from traces.store import client, rows, statements, summaries
from traces.store.filters import TraceFilter
from traces.store.rows import SpanOutline, TraceSummary

RUNNING_LOOKBACK_SECONDS = 24 * 3600
_MAX_RUNNING = 200
_MAX_OUTLINE = 100_000
_MAX_COUNTED = 10_000
_NEWEST = (2**64 - 1, b"\xff" * 16)


class BadCursor(ValueError):
    """A paging cursor that this server did not make."""


@dataclass(frozen=True, slots=True)
class TracePage:
    rows: list[TraceSummary]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class Change:
    trace_id: bytes
    at: datetime


class SpanReader:
    """The traces and spans of one project.

    Every method raises StoreUnavailable when the engine cannot be reached and QueryTooLarge when
    the answer would need more than one read may use.
    """

    def __init__(self, project_id: UUID) -> None:
        self.project_id = project_id

    def traces(self, wanted: TraceFilter, *, limit: int = 50, cursor: str = "") -> TracePage:
        """Newest traces first, running ones among them; `cursor` continues a page."""
        parameters = {**wanted.parameters(), "limit": limit + 1}
        before = _from_cursor(cursor) if cursor else _NEWEST
        parameters["before_ns"], parameters["before_id"] = before[0], before[1].hex()
        # Running first: a trace that settles in between is then in both, never in neither.
        running = self._running(wanted, parameters)
        found = {row.trace_id: row for row in self._settled(wanted, parameters)}
        # A running trace has a newer truth than its settled row, and maybe an earlier start: the
        # row goes, and the trace comes where it belongs, once.
        for row in running:
            found.pop(row.trace_id, None)
            if (row.start_ns, row.trace_id) < before:
                found[row.trace_id] = row
        ordered = sorted(found.values(), key=lambda row: (row.start_ns, row.trace_id), reverse=True)
        page = ordered[:limit]
        more = len(ordered) > limit
        return TracePage(page, _to_cursor(page[-1]) if more else "")

    def _settled(self, wanted: TraceFilter, parameters: Mapping[str, Any]) -> list[TraceSummary]:
        if wanted.status == "running":
            return []
        sql = statements.with_filter("trace_list_settled", wanted.settled_fragments())
        found = self._query(sql, parameters)
        return [summaries.from_settled(self.project_id, row) for row in found]

    def _running(self, wanted: TraceFilter, parameters: Mapping[str, Any]) -> list[TraceSummary]:
        limit = min(parameters["limit"], _MAX_RUNNING)
        running = self._running_ids(wanted, {**parameters, "limit": limit})
        found = self.running_summaries([row["trace_id"] for row in running])
        # The index knows of any error; the summary knows whether the trace failed.
        return [row for row in found if wanted.status != "error" or row.status == "error"]

    def _running_ids(
        self, wanted: TraceFilter, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        if not wanted.sees_running:
            return []
        lookback = {"lookback_seconds": RUNNING_LOOKBACK_SECONDS}
        return self._query(statements.text("trace_list_running"), {**parameters, **lookback})

    def running_summaries(self, trace_ids: list[bytes]) -> list[TraceSummary]:
        """Summaries computed from the spans stored so far; of a list, from the first of each."""
        if not trace_ids:
            return []
        per_trace = _MAX_OUTLINE // len(trace_ids)
        spans = self._query(
            statements.text("spans_of_traces"),
            {"trace_ids": [trace_id.hex() for trace_id in trace_ids], "per_trace": per_trace},
        )
        return totals.summarize_all(spans, is_running=True)

    def count(self, wanted: TraceFilter) -> int:
        """How many traces match: the settled ones, and those that run for the first time."""
        parameters = wanted.parameters()
        sql = statements.with_filter("trace_count", wanted.settled_fragments())
        settled = (
            0 if wanted.status == "running" else int(self._query(sql, parameters)[0]["traces"])
        )
        newest = {"before_ns": _NEWEST[0], "before_id": _NEWEST[1].hex(), "limit": _MAX_COUNTED}
        running = self._running_ids(wanted, {**parameters, **newest})
        is_only_running = wanted.status == "running"
        return settled + sum(is_only_running or not row["has_settled"] for row in running)

    def trace(self, trace_id: bytes) -> TraceSummary | None:
        """The trace as settled, or computed from its spans so far when it still runs."""
        window = self._window(trace_id)
        if window is None:
            return None
        settled = self._query(statements.text("trace_settled"), {"trace_id": trace_id.hex()})
        if settled and settled[0]["settled_through"] >= window["last_stored_at"]:
            return summaries.from_settled(self.project_id, settled[0])
        running = self.running_summaries([trace_id])
        return running[0] if running else None

    def outline(self, trace_id: bytes) -> list[SpanOutline]:
        """Every span of the trace without content, in time order."""
        window = self._window(trace_id)
        if window is None:
            return []
        found = self._query(
            statements.text("trace_outline"),
            {**_span_window(trace_id, window), "limit": _MAX_OUTLINE},
        )
        outlines = [summaries.outline(row) for row in found]
        return sorted(outlines, key=lambda span: (span.start_ns, span.span_id))

    def spans(self, trace_id: bytes, *, limit: int = 10_000) -> list[Span]:
        """Whole spans in time order, the newest version of each."""
        window = self._window(trace_id)
        if window is None:
            return []
        sql = statements.with_filter("trace_spans")
        found = self._query(sql, {**_span_window(trace_id, window), "limit": limit})
        return [rows.to_span(row) for row in found]

    def span(self, trace_id: bytes, span_id: bytes) -> Span | None:
        window = self._window(trace_id)
        if window is None:
            return None
        sql = statements.with_filter("trace_spans", ("span_id = unhex({span_id:String})",))
        found = self._query(
            sql, {**_span_window(trace_id, window), "span_id": span_id.hex(), "limit": 1}
        )
        return rows.to_span(found[0]) if found else None

    def has_spans(self) -> bool:
        return bool(self._query(statements.text("has_spans"), {})[0]["has_spans"])

    def changed_since(self, cursor: datetime, *, limit: int = 10_000) -> list[Change]:
        """Traces that got spans after the cursor (the engine's clock), oldest change first."""
        found = self._query(statements.text("changed_traces"), {"cursor": cursor, "limit": limit})
        return [Change(row["trace_id"], row["last_stored_at"]) for row in found]

    def settled_since(self, cursor: datetime, *, limit: int = 10_000) -> list[Change]:
        """Traces that settled after the cursor (the engine's clock), oldest first."""
        found = self._query(statements.text("settled_traces"), {"cursor": cursor, "limit": limit})
        return [Change(row["trace_id"], row["settled_at"]) for row in found]

    def _window(self, trace_id: bytes) -> dict[str, Any] | None:
        found = self._query(statements.text("trace_window"), {"trace_id": trace_id.hex()})[0]
        return found if found["parts"] else None

    def _query(self, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        return client.query(sql, {"project_id": str(self.project_id), **parameters})


def _span_window(trace_id: bytes, window: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "trace_id": trace_id.hex(),
        "first_bucket": window["first_bucket"],
        "last_bucket": window["last_bucket"],
    }


def _to_cursor(last: TraceSummary) -> str:
    text = json.dumps([last.start_ns, last.hex_id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _from_cursor(cursor: str) -> tuple[int, bytes]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        before_ns, before_id = json.loads(base64.urlsafe_b64decode(padded))
        trace_id = bytes.fromhex(before_id)
        if type(before_ns) is int and len(trace_id) == 16 and 0 <= before_ns < 2**64:
            return before_ns, trace_id
    except (ValueError, TypeError, RecursionError):
        pass  # falls through to the one sentence for every kind of bad cursor
    raise BadCursor("This page link is not valid any more. Start again from the newest traces.")
