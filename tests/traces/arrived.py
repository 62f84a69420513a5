"""Requests as they come to the store: spans with the receipt they would be given."""

from __future__ import annotations

import uuid
from typing import Any

from tests.traces import made
from traces.ingest import arrivals
from traces.ingest.arrivals import Arrival
from traces.ingest.receipts import Clock
from traces.otlp.arrived import Arrived
from traces.otlp.sdk import Sdk
from traces.spans import Span

KEY_ID = uuid.UUID(int=7)
clock = Clock()


def arrival(
    project_id: uuid.UUID,
    *spans: Span,
    retention_days: int = 0,
    key_id: uuid.UUID = KEY_ID,
    **facts: Any,
) -> Arrival:
    """Of these spans, received now; without any, of one trace of two spans."""
    received_ns = clock()
    found = list(spans)
    if not found:
        trace_id = made.trace_id()
        found = [made.span(project_id, trace_id, n) for n in (1, 2)]
    for span in found:
        span.received_ns = span.version = received_ns
    known: dict[str, Any] = {
        "rejected": (),
        "encoding": "protobuf",
        "content_encoding": "gzip",
        "compressed_bytes": 100,
        "body_bytes": 400,
        "sdk": Sdk("opentelemetry", "1.38.0"),
        **facts,
    }
    arrived = Arrived(spans=found, received_ns=received_ns, **known)
    return arrivals.of(arrived, key_id=key_id, project_id=project_id, retention_days=retention_days)


def empty(project_id: uuid.UUID, **facts: Any) -> Arrival:
    known: dict[str, Any] = {
        "rejected": (),
        "encoding": "json",
        "content_encoding": "",
        "compressed_bytes": 2,
        "body_bytes": 2,
        **facts,
    }
    arrived = Arrived(spans=(), received_ns=clock(), **known)
    return arrivals.of(arrived, key_id=KEY_ID, project_id=project_id, retention_days=0)


def poisonous(project_id: uuid.UUID, good: int = 0, at: int = 0) -> Arrival:
    """One span's parent has three bytes, which no codec lets through and no column takes; `good`
    spans are around it.
    """
    trace_id = made.trace_id()
    spans = [made.span(project_id, trace_id, n + 1) for n in range(good + 1)]
    spans[at].parent_span_id = b"abc"
    return arrival(project_id, *spans)
