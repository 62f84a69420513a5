"""What a campaign starts from: a few honest inputs for each target, and words to put into them."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from tests.fuzz import names, way
from tests.traces.otlp.requests import (
    json_request,
    json_span,
    protobuf_request,
    protobuf_span,
)
from traces.otlp import json_values
from traces.spans import Attributes
from traces.spool import encoding as spool_encoding

_VALUE: Attributes = {
    "a": [1, 0.5, True, None, b"x", {"b": ["c"]}],
    "gen_ai.usage.input_tokens": 7,
    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]',
}
_STACKS = (
    'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    g()\n'
    "ValueError: no\n\nThe above exception was the direct cause of the following exception:\n\n"
    'Traceback (most recent call last):\n  File "b.py", line 1, in <module>\nRuntimeError: x: y\n',
    "  + Exception Group Traceback (most recent call last):\n  | ExceptionGroup: two (2 "
    'sub-exceptions)\n  +-+---------------- 1 ----------------\n    | File "c.py", line 2\n'
    "    | KeyError: 'k'\n    +------------------------------------\n",
    "/app/x.js:7\n  boom();\n  ^\nTypeError: boom is no function\n    at f (/app/x.js:7:3)\n"
    "    at async Object.<anonymous> (file:///app/y.mjs:1:1)\n"
    "    at eval (eval at g (/z.js:1:2)) {\n"
    "  [cause]: Error: inner\n      at h (node:internal/x:1:1)\n}\n",
)
_RESULTS = (
    "Error: no such order", '{"error": {"message": "no", "code": 404}, "success": false}',
    '"Error: \\"x\\""', '[{"type":"text","text":"{\\"isError\\":true}"}]', "exit code: 1\nbash: x",
    "ToolException('a')", '{"status":"failed","content":[{"text":"HTTP 500"}]}',
)  # fmt: skip


def of(target: str) -> Iterator[bytes]:
    signal, _, coded = target.partition("_")
    if coded in ("protobuf", "json"):
        yield from _REQUESTS[signal](coded)
    else:
        yield from _OTHERS[target]()


def dictionary() -> str:
    """Of libFuzzer's own form: https://llvm.org/docs/LibFuzzer.html#dictionaries"""
    keys = ("resourceSpans", "scopeSpans", "spans", "resourceLogs", "logRecords", "intValue",
            "stringValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue", "values",
            "attributes", "events", "links", "status", "body", "eventName", "tool_calls", "parts",
            "content", "role", "functionCall", "type", "arguments", "error", "cause")  # fmt: skip
    words = {*names.ALL, *names.EVENT_NAMES, *names.KINDS, *keys}
    short = (*words, *(text for text in names.TEXTS if len(text) < 60))
    return "".join(f'"{_escaped(word)}"\n' for word in sorted(set(short)) if word)


def _escaped(word: str) -> str:
    plain = {*range(0x20, 0x7F)} - {0x22, 0x5C}
    return "".join(chr(b) if b in plain else f"\\x{b:02x}" for b in word.encode())


def _traces(coded: str) -> Iterator[bytes]:
    wire = json_values.to_wire_list(_VALUE)
    events = [{"name": "exception", "timeUnixNano": "5", "attributes": wire}]
    body = json_request(
        json_span(attributes=wire, events=events, links=[{"traceId": "0a" * 16}], kind=3),
        json_span(spanId="ff", status={"code": "STATUS_CODE_ERROR", "message": "no"}),
    )
    if coded == "json":
        yield body
        return
    request = protobuf_request(protobuf_span(), protobuf_span(name="x", trace_id=b"short"))
    _fill(request.resource_spans[0].scope_spans[0].spans[0].attributes)
    _fill(request.resource_spans[0].resource.attributes)
    event = request.resource_spans[0].scope_spans[0].spans[0].events.add(name="exception")
    _fill(event.attributes)
    yield request.SerializeToString()


def _logs(coded: str) -> Iterator[bytes]:
    record = {
        "timeUnixNano": "7", "severityNumber": 17, "eventName": "gen_ai.choice",
        "traceId": "0a" * 16,
        "body": json_values.to_wire({"message": {"content": "hi"}}),
        "attributes": json_values.to_wire_list(_VALUE),
    }  # fmt: skip
    if coded == "json":
        yield json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
        return
    request = ExportLogsServiceRequest()
    made = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=7)
    made.body.kvlist_value.values.add(key="content").value.string_value = "hi"
    _fill(made.attributes)
    yield request.SerializeToString()


def _metrics(coded: str) -> Iterator[bytes]:
    if coded == "json":
        point = {"asInt": "7", "timeUnixNano": "9", "attributes": json_values.to_wire_list(_VALUE)}
        said = {"name": "claude_code.token.usage", "sum": {"dataPoints": [point]}}
        yield json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [said]}]}]}).encode()
        return
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    made = scope.metrics.add(name="claude_code.cost.usage")
    point_made = made.sum.data_points.add(as_double=0.5, time_unix_nano=9)
    _fill(point_made.attributes)
    scope.metrics.add(name="x").histogram.data_points.add(sum=1.5, count=2)
    yield request.SerializeToString()


def _fill(key_values: Any) -> None:
    key_values.add(key="gen_ai.usage.input_tokens").value.int_value = 7
    key_values.add(key="gen_ai.request.model").value.string_value = "m"
    listed = key_values.add(key="a").value.array_value
    listed.values.add().double_value = 0.5
    listed.values.add().kvlist_value.values.add(key="b").value.bytes_value = b"x"


def _content_encodings() -> Iterator[bytes]:
    body = json_request(json_span())
    yield b"\0" + gzip.compress(body, mtime=0)
    yield b"\0" + gzip.compress(body, mtime=0) * 3
    yield b"\1" + zlib.compress(body)
    raw = zlib.compressobj(wbits=-15)
    yield b"\1" + raw.compress(body) + raw.flush()
    yield b"\0" + gzip.compress(bytes(200_000), mtime=0)
    yield b"\4" + gzip.compress(zlib.compress(body), mtime=0)
    # One frame of "hello hello hello", stored.
    yield b"\2(\xb5/\xfd\x04\x00\x89\x00\x00hello hello hello"


def _spool_files() -> Iterator[bytes]:
    for body in _traces("json"):
        arrival = way.whole(body, "json", "traces")
        assert arrival is not None
        yield spool_encoding.encode(arrival)


def _exact_values() -> Iterator[bytes]:
    yield json_values.values_to_json(_VALUE).encode()
    yield from (
        json_values.value_to_json(value).encode() for value in (*_VALUE.values(), float("nan"))
    )


def _attributes() -> Iterator[bytes]:
    """For each convention a span that has all of its names, with the odd values by turns."""
    plain = [value for value in names.VALUES if isinstance(value, (str, int, list)) and value]
    short = [value for value in plain if len(repr(value)) < 100]
    for number, (convention, known) in enumerate(names.BY_CONVENTION.items()):
        picked = {name: short[(number + i) % len(short)] for i, name in enumerate(known[::3])}
        yield json.dumps({"name": convention, "scope": "", **picked}).encode()


def _message_texts() -> Iterator[bytes]:
    yield from (text.encode() for text in names.TEXTS if text[:1] in "[{" and len(text) < 300)


_REQUESTS = {"traces": _traces, "logs": _logs, "metrics": _metrics}
_OTHERS = {
    "content_encoding": _content_encodings,
    "spool_file": _spool_files,
    "exact_values": _exact_values,
    "attributes": _attributes,
    "message_texts": _message_texts,
    "stack_traces": lambda: (text.encode() for text in _STACKS),
    "tool_results": lambda: (text.encode() for text in _RESULTS),
}
