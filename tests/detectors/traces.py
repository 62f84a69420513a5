"""Small traces by hand, and real ones from the shared recordings."""

from __future__ import annotations

import gzip
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from traces.otlp import decoder
from traces.semconv import normalize
from traces.spans import Kind, Span, SpanEvent, Status
from traces.store import writer

PROJECT_ID = uuid.UUID(int=7)
TRACE_ID = bytes(range(16))
_SECOND = 1_000_000_000


def span(
    number: int,
    kind: Kind = "tool",
    name: str = "",
    *,
    input: str = "",
    output: str = "",
    status: Status = "ok",
    parent: int = 0,
    trace_id: bytes = TRACE_ID,
    **fields: Any,
) -> Span:
    """Span `number` starts in second `number` and takes half a second."""
    start_ns = 1_794_000_000 * _SECOND + number * _SECOND
    return Span(
        project_id=PROJECT_ID,
        trace_id=trace_id,
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=name or kind,
        kind=kind,
        start_ns=start_ns,
        end_ns=start_ns + _SECOND // 2,
        status=status,
        version=start_ns,
        received_ns=start_ns,
        input=input,
        output=output,
        is_local_root=parent == 0,
        tool_name=name if kind == "tool" else "",
        **fields,
    )


def exception(type_: str, message: str) -> SpanEvent:
    return SpanEvent(0, "exception", {"exception.type": type_, "exception.message": message})


def store_trace(project_id: uuid.UUID, spans: list[Span], trace_id: bytes | None = None) -> bytes:
    """Writes the spans as a trace of the project, received now; returns its id."""
    trace_id = trace_id or uuid.uuid4().bytes
    now_ns = time.time_ns()
    shift = now_ns - max(each.end_ns for each in spans)
    stored = [
        replace(
            each,
            project_id=project_id,
            trace_id=trace_id,
            start_ns=each.start_ns + shift,
            end_ns=each.end_ns + shift if each.end_ns else 0,
            received_ns=now_ns,
            version=now_ns,
        )
        for each in spans
    ]
    writer.store(stored, [0] * len(stored))
    return trace_id


def recorded_runs(shared: Path, name: str) -> Iterator[list[Span]]:
    """Each run of a shared recording as normalised spans in order of start."""
    with gzip.open(shared / "data" / "agent-runs" / f"{name}.otlp.jsonl.gz") as lines:
        for line in lines:
            raws = decoder.decode(line, "json").spans
            spans = normalize.spans(raws, project_id=PROJECT_ID, received_ns=1)
            yield sorted(spans, key=lambda each: (each.start_ns, each.span_id))


def labels(shared: Path, name: str) -> dict[str, dict[str, Any]]:
    lines = (shared / "data" / "agent-runs" / f"{name}.labels.jsonl").read_text().splitlines()
    return {row["trace_id"]: row for row in map(json.loads, lines)}
