"""OTLP requests of runs of any size, as protobuf: an agent, its steps, and in each calls of a model
and of a tool with a few hundred characters of text.
"""

from __future__ import annotations

import json
import secrets
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_MS = 1_000_000
_TEXT = "The order was delivered nine days ago and may be returned until the end of the month. " * 4


def request(span_count: int, trace_id: bytes) -> ExportTraceServiceRequest:
    """All spans of one run, its root last, as exporters send them."""
    made = ExportTraceServiceRequest()
    scope = made.resource_spans.add().scope_spans.add()
    root = secrets.token_bytes(8)
    end_ns = time.time_ns()
    start_ns = end_ns - span_count * 10 * _MS
    parent = root
    for number in range(span_count - 1):
        at_ns = start_ns + number * 10 * _MS
        span = scope.spans.add(
            trace_id=trace_id,
            span_id=secrets.token_bytes(8),
            parent_span_id=root if number % 10 == 0 else parent,
            name=("plan step", "chat gpt-4.1-mini", "execute_tool lookup")[_kind(number)],
            start_time_unix_nano=at_ns,
            end_time_unix_nano=at_ns + 9 * _MS,
        )
        _fill(span, _kind(number))
        if number % 10 == 0:
            parent = span.span_id
    last = scope.spans.add(
        trace_id=trace_id,
        span_id=root,
        name="benchmark agent",
        start_time_unix_nano=start_ns,
        end_time_unix_nano=end_ns,
    )
    _put(last, "gen_ai.operation.name", "invoke_agent")
    return made


def _kind(number: int) -> int:
    return 0 if number % 10 == 0 else 1 + number % 2


def _fill(span: Span, kind: int) -> None:
    if kind == 1:
        message = [{"role": "user", "parts": [{"type": "text", "content": _TEXT}]}]
        _put(span, "gen_ai.operation.name", "chat")
        _put(span, "gen_ai.request.model", "gpt-4.1-mini")
        _put(span, "gen_ai.input.messages", json.dumps(message))
        span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 420
        span.attributes.add(key="gen_ai.usage.output_tokens").value.int_value = 64
    elif kind == 2:
        _put(span, "gen_ai.operation.name", "execute_tool")
        _put(span, "gen_ai.tool.name", "lookup")
        _put(span, "gen_ai.tool.call.arguments", '{"order": "PP-1042"}')
        _put(span, "gen_ai.tool.call.result", json.dumps({"text": _TEXT}))


def _put(span: Span, key: str, value: str) -> None:
    span.attributes.add(key=key).value.string_value = value
