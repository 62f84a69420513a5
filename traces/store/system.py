"""The few reads that must cross projects: settling and sweeping. No person is shown any of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from traces import trace_spans
from traces.call_facts import CallFacts
from traces.store import client, statements
from traces.trace_spans import Labels, TraceSpans

# The allow-list: query files that carry no project predicate, each for a named reason.
QUERY_FILES = {
    "system_unsettled_keys": "settle finds quiet traces of all projects in one query",
    "system_unsettled": "settle looks closer at those, by (project, trace) pairs",
    "system_settling_spans": "settle reads the spans of those traces, by (project, trace) pairs",
    "system_span_texts": "settle reads the content that previews need, by (project, trace, span)",
    "system_span_counts": "settle counts the spans of a trace that is too large to be read whole",
    "system_settled_since": "the detectors' sweep queues settled traces of all projects at once",
    "system_to_estimate": "estimating finds settled traces of all projects with silent calls",
    "system_received_bytes": "limits of bytes a day hold across processes, for limited projects",
    "system_clock": "the engine's clock; reads no table",
}
MAX_SPANS_A_TRACE = 100_000
"""A summary is computed from so many spans of a trace, the first by start."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = (
    "project", "trace_id", "span_id", "parent_span_id", "version", "name", "kind", "status",
    "start_ns", "end_ns", "is_local_root", "agent_name", "tool_name", "model", "session_id",
    "user_id", "environment", "release", "service_name", "trace_name", "is_evaluation", "git_repo",
    "git_ref", "has_usage", *trace_spans.TOKENS, "is_estimated",
    "has_cost", "cost_nano", "stored_ns",
    "error_type", "error_message", "input", "output", "input_bytes", "output_bytes", "labels",
    "may_have_failed", "answer_hash", "may_tell_results", "is_infrastructure",
)  # fmt: skip
"""Of `system_settling_spans`, in its order."""
_decode_labels = msgspec.json.Decoder(
    tuple[tuple[str, ...], dict[str, str], tuple[str, ...], dict[str, str]]
).decode


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A quiet trace whose spans are newer than its settled row (`generation` 0: it has none).

    `arrived` counts rows, re-sent ones too; it is 0 of a trace that is older than the count.
    """

    project_id: UUID
    trace_id: bytes
    last_stored_at: datetime
    first_stored_at: datetime
    first_bucket: int
    last_bucket: int
    retention_days: int
    arrived: int
    generation: int
    bucket_hour: int

    @property
    def key(self) -> tuple[UUID, bytes]:
        return self.project_id, self.trace_id


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a trace must have been quiet to settle: after its root has ended, or without that;
    and after so many `generations`."""

    quiet_seconds: int
    silence_seconds: int
    generations: int
    last_wait_seconds: int


@dataclass(frozen=True, slots=True)
class TraceKey:
    project_id: UUID
    trace_id: bytes
    last_stored_at: datetime


@dataclass(frozen=True, slots=True)
class SpanText:
    """Content of one span, its beginning."""

    project_id: UUID
    trace_id: bytes
    span_id: bytes
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class SettledTrace:
    """`failed_calls`, `equal_calls` and `has_told_calls` are `call_facts` of it."""

    project_id: UUID
    trace_id: bytes
    generation: int
    settled_at: datetime
    is_evaluation: bool
    retention_days: int
    failed_calls: int
    equal_calls: int
    has_told_calls: bool

    @property
    def calls(self) -> CallFacts:
        return CallFacts(self.failed_calls, self.equal_calls, bool(self.has_told_calls))


@dataclass(frozen=True, slots=True)
class ToEstimate:
    """A settled trace with calls that report no usage, and how many spans it has."""

    project_id: UUID
    trace_id: bytes
    spans: int


class SystemReader:
    """Cross-project reads, each a named query of `QUERY_FILES`."""

    def bytes_since(self, project_ids: Sequence[UUID], since_ns: int) -> list[tuple[UUID, int]]:
        """What each of them sent, decompressed, by receipts."""
        named = [str(project_id) for project_id in project_ids]
        wanted = {"project_ids": named, "since_ns": since_ns, "limit": len(named)}
        found = _query("system_received_bytes", wanted)
        return [(row["project_id"], row["bytes"]) for row in found]

    def unsettled_keys(
        self,
        *,
        lookback_seconds: int,
        quiet_seconds: int,
        limit: int,
        after: TraceKey | None = None,
    ) -> list[TraceKey]:
        """Traces with spans that no settled row has seen, the longest waiting first; `after` the
        last of a batch before. Some of them are not to settle yet."""
        found = _query(
            "system_unsettled_keys",
            {
                "lookback_seconds": lookback_seconds,
                "quiet_seconds": quiet_seconds,
                "limit": limit,
                "after_at": after.last_stored_at if after else _BEGINNING,
                "after_project": str(after.project_id if after else UUID(int=0)),
                "after_trace": (after.trace_id if after else bytes(16)).hex(),
            },
        )
        return [TraceKey(**row) for row in found]

    def unsettled(self, keys: Sequence[TraceKey], patience: Patience) -> list[Unsettled]:
        """Those of the traces that are to settle now, the longest waiting first."""
        found = _query(
            "system_unsettled",
            {
                **_pairs(keys),
                "quiet_seconds": patience.quiet_seconds,
                "silence_seconds": patience.silence_seconds,
                "generations": patience.generations,
                "last_wait_seconds": patience.last_wait_seconds,
                "limit": len(keys),
            },
        )
        return [
            Unsettled(
                **row | {"bucket_hour": row["bucket_hour"] if row["generation"] else _hour_of(row)}
            )
            for row in found
        ]

    def spans_of(self, traces: Sequence[Unsettled]) -> Iterator[TraceSpans]:
        """The spans of each of these traces that has any, each span once.

        Their `input` and `output` are there where they are short and the span is a local root.
        """
        values = client.columns(
            statements.text("system_settling_spans"),
            {**_pairs(traces), **_window(traces), "per_trace": MAX_SPANS_A_TRACE},
        )
        columns = dict(zip(_COLUMNS, values, strict=True)) if values else {}
        if not columns:
            return
        columns["cost_nano"] = [
            cost if has_cost else None
            for cost, has_cost in zip(columns["cost_nano"], columns.pop("has_cost"), strict=True)
        ]
        columns["stored_ns"] = [milli * 1_000_000 for milli in columns["stored_ns"]]
        columns["labels"] = [
            Labels(*_decode_labels(text)) if text else None for text in columns["labels"]
        ]
        yield from trace_spans.split(columns)

    def texts_of(
        self, traces: Sequence[Unsettled], spans: Sequence[tuple[UUID, bytes, bytes]]
    ) -> list[SpanText]:
        """Content of single spans, (project, trace, span), of these traces."""
        found = _query(
            "system_span_texts",
            {
                **_window(traces),
                "project_ids": [str(project) for project, _, _ in spans],
                "trace_ids": [trace.hex() for _, trace, _ in spans],
                "span_ids": [span.hex() for _, _, span in spans],
            },
        )
        return [SpanText(UUID(row.pop("project")), **row) for row in found]

    def span_counts(self, traces: Sequence[Unsettled]) -> dict[tuple[UUID, bytes], int]:
        """How many spans each of these traces has; nothing for one that has none."""
        found = _query("system_span_counts", {**_pairs(traces), **_buckets(traces)})
        return {(row["project_id"], row["trace_id"]): row["spans"] for row in found}

    def settled_since(self, cursor: datetime, *, limit: int = 1000) -> list[SettledTrace]:
        """Generations that settled after the cursor (the engine's clock), oldest first."""
        values = client.columns(
            statements.text("system_settled_since"), {"cursor": cursor, "limit": limit}
        )
        return [SettledTrace(*row) for row in zip(*values, strict=True)]

    def to_estimate(
        self,
        *,
        lookback_seconds: int,
        wait_seconds: int,
        without: Sequence[UUID],
        a_project: int,
        limit: int,
    ) -> list[ToEstimate]:
        """Traces that settled within the look-back and not just now, the longest waiting first;
        at most `a_project` of one project, none of the projects `without`."""
        found = _query(
            "system_to_estimate",
            {
                "lookback_seconds": lookback_seconds,
                "wait_seconds": wait_seconds,
                "without": [str(one) for one in without],
                "a_project": a_project,
                "limit": limit,
            },
        )
        return [ToEstimate(**row) for row in found]

    def clock(self) -> datetime:
        """The engine's clock."""
        now = _query("system_clock", {})[0]["engine_now"]
        assert isinstance(now, datetime)
        return now


def _hour_of(row: dict[str, Any]) -> int:
    return int(row["first_bucket"]) // 3600 * 3600


def _pairs(traces: Sequence[Unsettled] | Sequence[TraceKey]) -> dict[str, Any]:
    """Numbers, which the driver writes for a fraction of what texts cost."""
    projects = {trace.project_id: 0 for trace in traces}
    for place, project_id in enumerate(projects, 1):
        projects[project_id] = place
    return {
        "projects": [str(project_id) for project_id in projects],
        "project_of": [projects[trace.project_id] for trace in traces],
        "trace_numbers": [int.from_bytes(trace.trace_id, "little") for trace in traces],
    }


def _buckets(traces: Sequence[Unsettled]) -> dict[str, Any]:
    return {
        "first_bucket": min(trace.first_bucket for trace in traces),
        "last_bucket": max(trace.last_bucket for trace in traces),
    }


def _window(traces: Sequence[Unsettled]) -> dict[str, Any]:
    first = min(trace.first_stored_at for trace in traces)
    return {**_buckets(traces), "first_stored_at": first}


def _query(name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    assert name in QUERY_FILES
    return client.query(statements.text(name), parameters)
