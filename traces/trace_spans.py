"""The spans of one trace as columns: what totals, completeness and call facts are computed from.

Columns, since a trace is looked at field by field: of ten thousand spans a second, a mapping a span
would cost more than everything that is computed from them. Spans are in order of start, each once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

TOKENS = (
    "uncached_input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens",
    "output_tokens", "reasoning_tokens",
)  # fmt: skip
FIELDS = (
    "span_id", "parent_span_id", "name", "kind", "status", "start_ns", "end_ns", "is_local_root",
    "agent_name", "tool_name", "model", "session_id", "user_id", "environment", "release",
    "service_name", "trace_name", "is_evaluation", "git_repo", "git_ref", "error_type",
    "error_message", "input", "output", "has_usage", *TOKENS, "is_estimated",
    "cost_nano", "stored_ns", "labels",
    "may_have_failed", "answer_hash", "may_tell_results", "is_infrastructure",
)  # fmt: skip
NO_PARENT = bytes(8)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Labels(msgspec.Struct, frozen=True):
    """What a span is tagged with, and what it says of its trace; few spans have any."""

    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    trace_tags: tuple[str, ...] = ()
    trace_metadata: dict[str, str] = {}


NO_LABELS = Labels()


@dataclass(slots=True)
class TraceSpans:
    """`columns` has the FIELDS, lists of equal length. Money is in billionths of a US dollar or
    None. `version` may be among the columns: of a span that is there twice the newest stays."""

    project_id: UUID
    trace_id: bytes
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.columns["span_id"])

    def __getitem__(self, field: str) -> list[Any]:
        return self.columns[field]

    def first(self, field: str, position: int | None = None) -> Any:
        """The value of the span at `position` or, where that has none, of the earliest that has."""
        column = self.columns[field]
        own = column[position] if position is not None else None
        return own or next(filter(None, column), "")

    def last(self, field: str) -> Any:
        """Of the latest span that has one."""
        return next(filter(None, reversed(self.columns[field])), "")

    def distinct(self, field: str, limit: int = 50) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(filter(None, self.columns[field])))[:limit]


def of_rows(rows: Sequence[Mapping[str, Any]]) -> TraceSpans:
    """From rows of `spans_of_traces`, at least one, in any order; those of one trace."""
    ordered = sorted(rows, key=lambda row: (row["start_ns"], row["span_id"]))
    first = ordered[0]
    columns = {field: [row.get(field) for row in ordered] for field in FIELDS}
    columns["parent_span_id"] = [parent or NO_PARENT for parent in columns["parent_span_id"]]
    columns["cost_nano"] = [nano(row.get("cost_usd")) for row in ordered]
    columns["stored_ns"] = [_ns(row["stored_at"]) for row in ordered]
    columns["labels"] = [_labels(row) for row in ordered]
    return TraceSpans(first["project_id"], first["trace_id"], columns)


def nano(cost: Any) -> int | None:
    return None if cost is None else int(cost.scaleb(9))


def _labels(row: Mapping[str, Any]) -> Labels | None:
    has_any = row["tags"] or row["metadata"] or row["trace_tags"] or row["trace_metadata"]
    if not has_any:
        return None
    return Labels(
        tuple(row["tags"]),
        dict(row["metadata"]),
        tuple(row["trace_tags"]),
        dict(row["trace_metadata"]),
    )


def _ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def split(columns: Mapping[str, Sequence[Any]]) -> Iterator[TraceSpans]:
    """Whole traces out of columns of many that are ordered by project, trace and start.

    `columns` has `project` (a UUID as text) and `trace_id` beside the FIELDS.
    """
    projects, traces = columns["project"], columns["trace_id"]
    rest = {
        name: list(values)
        for name, values in columns.items()
        if name not in ("project", "trace_id")
    }
    low = 0
    total = len(traces)
    while low < total:
        project, trace = projects[low], traces[low]
        high = low + 1
        while high < total and traces[high] == trace and projects[high] == project:
            high += 1
        part = {name: values[low:high] for name, values in rest.items()}
        yield _without_repetitions(TraceSpans(UUID(project), trace, part))
        low = high


def _without_repetitions(trace: TraceSpans) -> TraceSpans:
    """A span that was sent again is there twice until the engine has merged its rows."""
    ids, versions = trace["span_id"], trace["version"]
    if len(set(ids)) == len(ids):
        return trace
    newest: dict[bytes, int] = {}
    for position, span_id in enumerate(ids):
        known = newest.get(span_id)
        if known is None or versions[position] > versions[known]:
            newest[span_id] = position
    kept = sorted(newest.values())
    for name, values in trace.columns.items():
        trace.columns[name] = [values[position] for position in kept]
    return trace
