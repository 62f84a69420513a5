"""A request's body to validated raw records, from either encoding.

A malformed record is rejected alone, with a reason; a body that is no request of the signal raises
MalformedBody, which names the signal that it is a request of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from traces.otlp import body_values, json_codec, protobuf_codec
from traces.otlp.body_values import TooManyValues
from traces.otlp.decoded import Decoded, MalformedBody, MalformedSpan, Rejection
from traces.otlp.signals import Signal

__all__ = [
    "Decoded",
    "Encoding",
    "MalformedBody",
    "MalformedSpan",
    "Rejection",
    "TooManyValues",
    "decode",
]

Encoding = Literal["protobuf", "json"]
# Not just a brace: a line feed and a brace also begin a protobuf request of 125 bytes.
_JSON = re.compile(rb"\s*\{\s*[\"}]")
_REQUESTS: Mapping[Signal, Descriptor] = {
    "traces": ExportTraceServiceRequest.DESCRIPTOR,
    "logs": ExportLogsServiceRequest.DESCRIPTOR,
    "metrics": ExportMetricsServiceRequest.DESCRIPTOR,
}


def decode(body: bytes, encoding: Encoding, signal: Signal = "traces") -> Decoded[Any]:
    """Raises MalformedBody, TooManyValues. An empty protobuf body is a request without records."""
    if encoding == "json":
        body_values.check_json(body)
        return json_codec.decode(body, signal)
    body_values.check_protobuf(body, _REQUESTS[signal])
    try:
        decoded = protobuf_codec.decode(body, signal)
    except MalformedBody:
        _name_other_content(body, signal)
        raise
    if _is_doubtful(decoded, signal):
        _name_other_content(body, signal)
    return decoded


def _is_doubtful(decoded: Decoded[Any], signal: Signal) -> bool:
    """All signals share the outer messages: logs read as traces are spans without ids, what is read
    as logs is records without a time.
    """
    if not decoded.records:
        return bool(decoded.rejected)
    if signal == "metrics":
        return not any(metric.name and metric.kind for metric in decoded.records)
    return signal == "logs" and not any(
        record.time_ns or record.observed_ns for record in decoded.records
    )


def _name_other_content(body: bytes, signal: Signal) -> None:
    if _JSON.match(body):
        raise MalformedBody(
            "the body looks like JSON, but was declared as protobuf; "
            "send it with Content-Type: application/json"
        )
    if signal != "traces" and _is_traces(body):
        raise MalformedBody("this is a trace request; post it to /v1/traces")
    if signal != "logs" and _is_logs(body):
        raise MalformedBody("this is a logs request; post it to /v1/logs")
    if signal != "metrics" and _is_metrics(body):
        raise MalformedBody("this is a metrics request; post it to /v1/metrics")


def _is_traces(body: bytes) -> bool:
    request = _parsed(ExportTraceServiceRequest, body)
    return request is not None and any(
        len(span.trace_id) == 16 and len(span.span_id) == 8
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    )


def _is_logs(body: bytes) -> bool:
    request = _parsed(ExportLogsServiceRequest, body)
    return request is not None and any(
        record.time_unix_nano
        or record.observed_time_unix_nano
        # Not just any body: a span's name lies where a record's body does.
        or record.body.WhichOneof("value")
        for group in request.resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    )


def _is_metrics(body: bytes) -> bool:
    request = _parsed(ExportMetricsServiceRequest, body)
    return request is not None and any(
        metric.name and _points(metric)
        for group in request.resource_metrics
        for scope in group.scope_metrics
        for metric in scope.metrics
    )


def _points(metric: Any) -> Any:
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


def _parsed(message: type[Message], body: bytes) -> Any:
    try:
        return message.FromString(body)
    except DecodeError:
        return None
