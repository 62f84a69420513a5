"""Raw spans as the decoder makes them, for the tests of their reading."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from traces.otlp import decoded
from traces.semconv import normalize
from traces.spans import Attributes, RawSpan, Span

PROJECT = UUID("00000000-0000-0000-0000-00000000000a")


def raw(
    attributes: Attributes | None = None, resource: Attributes | None = None, **fields: Any
) -> RawSpan:
    known: dict[str, Any] = {
        "trace_id": bytes(range(1, 17)),
        "span_id": bytes(range(1, 9)),
        "parent_span_id": b"",
        "name": "step",
        "otel_kind": 1,
        "start_ns": 1_000,
        "end_ns": 2_000,
        "status_code": 0,
        "status_message": "",
        "attributes": attributes or {},
        "events": (),
        "links": (),
        "trace_state": "",
        "flags": 0,
        "dropped_attributes": 0,
        "dropped_events": 0,
        "dropped_links": 0,
        "resource": decoded.resource(resource or {}),
        "scope": decoded.scope("acme", "1", {}),
    }
    return RawSpan(**{**known, **fields})


def read(
    attributes: Attributes | None = None, resource: Attributes | None = None, **fields: Any
) -> Span:
    return normalize.span(raw(attributes, resource, **fields), project_id=PROJECT, received_ns=9)
