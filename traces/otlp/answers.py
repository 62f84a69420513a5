"""What the receiver answers, in the encoding of the request, by the OTLP/HTTP specification:
https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from traces.otlp.decoded import Rejection
from traces.otlp.decoder import Encoding
from traces.otlp.signals import NAMES, Signal

CONTENT_TYPES: dict[Encoding, str] = {
    "protobuf": "application/x-protobuf",
    "json": "application/json",
}
# google.rpc.Code: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
_CODES = {400: 3, 401: 16, 404: 5, 405: 12, 408: 4, 413: 8, 415: 3, 429: 8, 503: 14}
_MAX_REASONS = 10
_RESPONSES: Mapping[Signal, Any] = {
    "traces": ExportTraceServiceResponse,
    "logs": ExportLogsServiceResponse,
    "metrics": ExportMetricsServiceResponse,
}
_REJECTED: Mapping[Signal, str] = {
    "traces": "rejected_spans",
    "logs": "rejected_log_records",
    "metrics": "rejected_data_points",
}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    encoding: Encoding
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """As ASGI wants them."""
        headers = {
            "content-type": CONTENT_TYPES[self.encoding],
            "content-length": str(len(self.body)),
            **self.headers,
        }
        return [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ]


class Refused(Exception):
    """The request ends here with this status; the message is for the person who reads it."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def stored(encoding: Encoding, rejected: Sequence[Rejection], signal: Signal = "traces") -> Answer:
    """All is stored, but for what is counted in `rejected`."""
    count = sum(rejection.count for rejection in rejected)
    if encoding == "json":
        partial = {NAMES[signal].rejected: str(count), "errorMessage": _describe(rejected)}
        return Answer(
            200, msgspec.json.encode({"partialSuccess": partial} if count else {}), "json"
        )
    return Answer(200, response(rejected, signal).SerializeToString(), "protobuf")


def response(rejected: Sequence[Rejection], signal: Signal) -> Any:
    """The signal's Export…ServiceResponse."""
    found = _RESPONSES[signal]()
    if rejected:
        count = sum(rejection.count for rejection in rejected)
        setattr(found.partial_success, _REJECTED[signal], count)
        found.partial_success.error_message = _describe(rejected)
    return found


def refused(encoding: Encoding, refusal: Refused) -> Answer:
    """An error, as a google.rpc.Status."""
    code = _CODES.get(refusal.status, 2)
    if encoding == "json":
        body = msgspec.json.encode({"code": code, "message": refusal.message})
    else:
        body = Status(code=code, message=refusal.message).SerializeToString()
    return Answer(refusal.status, body, encoding, refusal.headers)


def _describe(rejected: Sequence[Rejection]) -> str:
    reasons = [
        f"{rejection.reason}{f' ({rejection.count} times)' if rejection.count > 1 else ''}"
        for rejection in rejected[:_MAX_REASONS]
    ]
    if len(rejected) > _MAX_REASONS:
        reasons.append(f"and {len(rejected) - _MAX_REASONS} more reasons")
    return "; ".join(reasons)
