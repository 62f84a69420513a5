"""What upper stages say about a trace or span, so that lists can show, filter and sort by it."""

from __future__ import annotations

import time
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
    _write(project_id, trace_id, span_id, name, source_id, label, level, value, is_removed=False)


def unmark(
    project_id: UUID, trace_id: bytes, *, name: str, source_id: str, span_id: bytes = b""
) -> None:
    """Take it back. Raises StoreUnavailable."""
    _write(project_id, trace_id, span_id, name, source_id, "", "", 0.0, is_removed=True)


def _write(
    project_id: UUID,
    trace_id: bytes,
    span_id: bytes,
    name: str,
    source_id: str,
    label: str,
    level: str,
    value: float,
    *,
    is_removed: bool,
) -> None:
    row = (
        project_id, trace_id, span_id or NO_SPAN, name, source_id, label, level, value, is_removed,
        time.time_ns(),
    )  # fmt: skip
    client.insert(
        "trace_marks", [[cell] for cell in row], [n for n, _ in _COLUMNS], [t for _, t in _COLUMNS]
    )
