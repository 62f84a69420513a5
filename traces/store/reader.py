"""Reads of one project. Everything that shows, judges or exports traces comes through here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from traces import totals
from traces.spans import Span
from traces.store import rows, statements, summaries
from traces.store.filters import TraceFilter
from traces.store.reads.activity import ActivityReads
from traces.store.reads.agent_usage import AgentUsageReads
from traces.store.reads.calls import CallReads
from traces.store.reads.comparison import ComparisonReads
from traces.store.reads.facets import FacetReads
from traces.store.reads.logs import LogReads
from traces.store.reads.project import BadCursor as BadCursor
from traces.store.reads.project import from_cursor, to_cursor
from traces.store.reads.search import SearchReads
from traces.store.reads.series import SeriesReads
from traces.store.reads.verdicts import VerdictReads
from traces.store.rows import SpanOutline, TraceSummary

RUNNING_LOOKBACK_SECONDS = 24 * 3600
MAX_OUTLINE = 100_000
_MAX_COUNTED = 10_000
_MAX_UNSETTLED = 20_000
_SPARE_KEYS = 10
# A row's generations have one key, which decides the partition.
_OF_TRACES = {"do_not_merge_across_partitions_select_final": 1}
_Place = tuple[int, bytes]
"""Where a trace is in the list: its start in nanoseconds, then its id."""
_NEWEST: _Place = (2**64 - 1, b"\xff" * 16)
_OLDEST: _Place = (0, b"")


@dataclass(frozen=True, slots=True)
class TracePage:
    rows: list[TraceSummary]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class Change:
    trace_id: bytes
    at: datetime


class SpanReader(
    ActivityReads,
    SeriesReads,
    FacetReads,
    ComparisonReads,
    SearchReads,
    LogReads,
    AgentUsageReads,
    CallReads,
    VerdictReads,
):
    """The one door to the traces and spans of one project; what it inherits is in `store/reads`.

    Every method raises StoreUnavailable when the engine cannot be reached and QueryTooLarge when
    the answer would need more than one read may use.
    """

    def traces(self, wanted: TraceFilter, *, limit: int = 50, cursor: str = "") -> TracePage:
        """Newest traces first, running ones among them; `cursor` continues a page."""
        before = _NEWEST
        if cursor:
            start_ns, trace_id = from_cursor(cursor, "number", "trace")
            before = start_ns, trace_id
        while True:
            found, seen_to = self._found(wanted, before, limit + 1)
            ordered = sorted(found, key=_place, reverse=True)
            if len(ordered) > limit:
                return TracePage(ordered[:limit], _to_cursor(_place(ordered[limit - 1])))
            goes_on = _OLDEST < seen_to < before
            if ordered or not goes_on:
                return TracePage(ordered, _to_cursor(seen_to) if goes_on else "")
            before = seen_to

    def _found(
        self, wanted: TraceFilter, before: _Place, limit: int
    ) -> tuple[list[TraceSummary], _Place]:
        """What matches before a place, at least `limit` of it or all of it, and how far was looked.

        There may be less than `limit` of them at last: some are running and elsewhere by now, of
        some only the index said that they failed. What is further away was not looked for.
        """
        parameters = {**wanted.parameters(), "limit": limit}
        parameters["before_ns"], parameters["before_id"] = before[0], before[1].hex()
        # Running first: a trace that settles in between is then in both, never in neither.
        running = self._running(wanted, parameters)
        settled = self._settled(wanted, parameters)
        seen_to = max(
            min(map(_place, rows)) if len(rows) >= limit else _OLDEST for rows in (running, settled)
        )
        found = {row.trace_id: row for row in settled}
        # A running trace has a newer truth than its settled row, and maybe an earlier start: the
        # row goes, and the trace comes where it belongs, once.
        for row in running:
            found.pop(row.trace_id, None)
            # The index knows of any error; the summary knows whether the trace failed.
            if _place(row) < before and (wanted.status != "error" or row.status == "error"):
                found[row.trace_id] = row
        return [row for row in found.values() if _place(row) >= seen_to], seen_to

    def _settled(self, wanted: TraceFilter, parameters: Mapping[str, Any]) -> list[TraceSummary]:
        if wanted.status == "running":
            return []
        limit = parameters["limit"]
        rows: list[dict[str, Any]] = []
        before = dict(parameters)
        while len(rows) < limit:
            before["candidates"] = wanted_keys = 2 * limit + _SPARE_KEYS
            keys = self._query(
                statements.with_filter("trace_list_keys", wanted.settled_fragments()), before
            )
            rows += self._newest(keys, limit - len(rows))
            if len(keys) < wanted_keys:
                break
            before["before_ns"], before["before_id"] = (
                keys[-1]["start_ns"],
                keys[-1]["trace_id"].hex(),
            )
        findings = self._findings([row["trace_id"] for row in rows])
        return [
            summaries.from_settled(
                self.project_id, row | {"findings": findings.get(row["trace_id"])}
            )
            for row in rows
        ]

    def _newest(self, keys: list[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
        """Of rows that matched, those that are their trace's newest generation, at most `limit`.

        A generation may be there twice until the engine merges: what was asked to write it was
        killed before it knew that it had.
        """
        found: list[dict[str, Any]] = []
        keys = list({(key["trace_id"], key["generation"]): key for key in keys}.values())
        while keys and len(found) < limit:
            some, keys = keys[: limit + _SPARE_KEYS], keys[limit + _SPARE_KEYS :]
            rows = self._query(
                statements.text("trace_list_settled"),
                {
                    "hours": [key["hour"] for key in some],
                    "trace_ids": [key["trace_id"].hex() for key in some],
                    "limit": len(some),
                },
                _OF_TRACES,
            )
            newest = {(row["trace_id"], row["generation"]): row for row in rows}
            matched = ((key["trace_id"], key["generation"]) for key in some)
            found += [newest[which] for which in matched if which in newest]
        return found[:limit]

    def _findings(self, trace_ids: list[bytes]) -> dict[bytes, list[str]]:
        if not trace_ids:
            return {}
        found = self._query(
            statements.text("findings_of_traces"),
            {"trace_ids": [one.hex() for one in trace_ids], "limit": len(trace_ids)},
        )
        return {row["trace_id"]: row["findings"] for row in found}

    def _running(self, wanted: TraceFilter, parameters: Mapping[str, Any]) -> list[TraceSummary]:
        running = self._running_ids(wanted, parameters)
        return self.running_summaries([row["trace_id"] for row in running])

    def _running_ids(
        self, wanted: TraceFilter, parameters: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        if not wanted.sees_running:
            return []
        unsettled = self._query(
            statements.text("traces_unsettled"),
            {"lookback_seconds": RUNNING_LOOKBACK_SECONDS, "limit": _MAX_UNSETTLED},
        )
        if not unsettled:
            return []
        sql = statements.with_filter("trace_list_running", wanted.running_fragments())
        return self._query(
            sql,
            {
                **parameters,
                "trace_ids": [row["trace_id"].hex() for row in unsettled],
                "ahead_ns": totals.CLOCK_AHEAD_SECONDS * 10**9,
            },
        )

    def running_summaries(self, trace_ids: list[bytes]) -> list[TraceSummary]:
        """Summaries computed from the spans stored so far; of a list, from the first of each."""
        if not trace_ids:
            return []
        per_trace = MAX_OUTLINE // len(trace_ids)
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
        settled = self._query(statements.text("trace_settled"), _span_window(trace_id, window))
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
            {**_span_window(trace_id, window), "limit": MAX_OUTLINE},
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


def _span_window(trace_id: bytes, window: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "trace_id": trace_id.hex(),
        "first_bucket": window["first_bucket"],
        "last_bucket": window["last_bucket"],
    }


def _place(row: TraceSummary) -> _Place:
    return row.start_ns, row.trace_id


def _to_cursor(last: _Place) -> str:
    return to_cursor(list(last))
