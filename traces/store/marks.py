"""What upper stages say about a trace or span, so that lists can show, filter and sort by it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from traces.store import client
from traces.store.rows import NO_SPAN

_COLUMNS = (
    ("project_id", "UUID"),
    ("trace_id", "FixedString(16)"),
    ("span_id", "FixedString(8)"),
    ("name", "LowCardinality(String)"),
    ("source_id", "String"),
    ("label", "String"),
    ("level", "LowCardinality(String)"),
    ("value", "Float64"),
    ("is_removed", "Bool"),
    ("version", "UInt64"),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing said of a trace or span, or taken back."""

    project_id: UUID
    trace_id: bytes
    name: str
    source_id: str
    span_id: bytes = b""
    label: str = ""
    level: str = ""
    value: float = 0.0
    is_removed: bool = False


def mark(
    project_id: UUID,
    trace_id: bytes,
    *,
    name: str,
    source_id: str,
    label: str,
    span_id: bytes = b"",
    level: str = "",
    value: float = 0.0,
) -> None:
    """Say it; the same (name, source, span) said again replaces. Raises StoreUnavailable."""
    write([Mark(project_id, trace_id, name, source_id, span_id, label, level, value)])


def unmark(
    project_id: UUID, trace_id: bytes, *, name: str, source_id: str, span_id: bytes = b""
) -> None:
    """Take it back. Raises StoreUnavailable."""
    write([Mark(project_id, trace_id, name, source_id, span_id, is_removed=True)])


def write(said: Sequence[Mark]) -> None:
    """One INSERT for all. Raises StoreUnavailable."""
    if not said:
        return
    version = time.time_ns()
    rows = [
        (
            one.project_id, one.trace_id, one.span_id or NO_SPAN, one.name, one.source_id,
            one.label, one.level, one.value, one.is_removed, version + position,
        )
        for position, one in enumerate(said)
    ]  # fmt: skip
    columns = [list(column) for column in zip(*rows, strict=True)]
    client.insert("trace_marks", columns, [n for n, _ in _COLUMNS], [t for _, t in _COLUMNS])
