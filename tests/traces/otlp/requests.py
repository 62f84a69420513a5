"""Requests as emitters send them, for the tests of the receiver's parts."""

from __future__ import annotations

import json
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2

TRACE_ID = bytes(range(1, 17))
SPAN_ID = bytes(range(1, 9))


def protobuf_span(**fields: Any) -> trace_pb2.Span:
    known = {
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "name": "answer",
        "start_time_unix_nano": 1_000,
        "end_time_unix_nano": 2_000,
    }
    return trace_pb2.Span(**{**known, **fields})


def protobuf_request(*spans: trace_pb2.Span) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    scope_spans.scope.name = "acme.support"
    scope_spans.spans.extend(spans)
    return request


def json_span(**fields: Any) -> dict[str, Any]:
    known = {
        "traceId": TRACE_ID.hex(),
        "spanId": SPAN_ID.hex(),
        "name": "answer",
        "startTimeUnixNano": "1000",
        "endTimeUnixNano": "2000",
    }
    return {**known, **fields}


def json_request(*spans: Any) -> bytes:
    scope_spans = {"scope": {"name": "acme.support"}, "spans": list(spans)}
    return json.dumps({"resourceSpans": [{"scopeSpans": [scope_spans]}]}).encode()


def attribute(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, "value": value}
