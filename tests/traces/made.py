"""Spans as the normaliser would make them, with as little as a test needs to say."""

from __future__ import annotations

import os
import time
from typing import Any
from uuid import UUID

from traces.spans import Span
from traces.store import writer

SECOND = 1_000_000_000


def trace_id() -> bytes:
    return os.urandom(16)


def span_id(number: int) -> bytes:
    return number.to_bytes(8, "big")


def span(project_id: UUID, of: bytes, number: int = 1, parent: int = 0, **fields: Any) -> Span:
    """Span `number` of trace `of`; without a parent it is the root. It ended a moment ago."""
    now = time.time_ns()
    filled: dict[str, Any] = {
        "name": f"span {number}",
        "kind": "span",
        "start_ns": now - 2 * SECOND + number,
        "end_ns": now - SECOND,
        "status": "unset",
        "version": now,
        "received_ns": now,
        "is_local_root": parent == 0,
        **fields,
    }
    return Span(
        project_id=project_id,
        trace_id=of,
        span_id=span_id(number),
        parent_span_id=span_id(parent) if parent else b"",
        **filled,
    )


def stored(*spans: Span) -> bytes:
    """Stores them; returns the trace id of the first."""
    writer.store(spans, [0] * len(spans))
    return spans[0].trace_id
