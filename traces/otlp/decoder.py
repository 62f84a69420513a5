"""A trace request's body to validated raw spans, from either encoding.

A malformed span is rejected alone, with a reason; a body that is no trace request raises
MalformedBody, which names the signal when it is a logs or metrics request.
"""

from __future__ import annotations

from typing import Any, Literal

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from traces.otlp import json_codec, protobuf_codec
from traces.otlp.decoded import Decoded, MalformedBody, MalformedSpan, Rejection

__all__ = ["Decoded", "Encoding", "MalformedBody", "MalformedSpan", "Rejection", "decode"]

Encoding = Literal["protobuf", "json"]


def decode(body: bytes, encoding: Encoding) -> Decoded:
    """Raises MalformedBody. An empty protobuf body is a request without spans."""
    if encoding == "json":
        return json_codec.decode(body)
    try:
        decoded = protobuf_codec.decode(body)
    except MalformedBody:
        _name_other_content(body)
        raise
    if decoded.rejected and not decoded.spans:
        # All signals share the outer messages: logs read as traces are spans without ids.
        _name_other_content(body)
    return decoded


def _name_other_content(body: bytes) -> None:
    if body.lstrip()[:1] == b"{":
        raise MalformedBody(
            "the body looks like JSON, but was declared as protobuf; "
            "send it with Content-Type: application/json"
        )
    if _is_logs(body):
        raise MalformedBody("this is a logs request; post it to /v1/logs")
    if _is_metrics(body):
        raise MalformedBody("this is a metrics request; post it to /v1/metrics")


def _is_logs(body: bytes) -> bool:
    request = _parsed(ExportLogsServiceRequest, body)
    return request is not None and any(
        record.time_unix_nano or record.observed_time_unix_nano or record.HasField("body")
        for group in request.resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    )


def _is_metrics(body: bytes) -> bool:
    request = _parsed(ExportMetricsServiceRequest, body)
    return request is not None and any(
        metric.name and metric.WhichOneof("data")
        for group in request.resource_metrics
        for scope in group.scope_metrics
        for metric in scope.metrics
    )


def _parsed(message: type[Message], body: bytes) -> Any:
    try:
        return message.FromString(body)
    except DecodeError:
        return None
