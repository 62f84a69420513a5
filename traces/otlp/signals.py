"""The signals of OTLP: where each is posted and what its records are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Signal = Literal["traces", "logs", "metrics"]


@dataclass(frozen=True, slots=True)
class Names:
    """`record` is what a rejection speaks of; the others are OTLP/JSON's names, outermost first."""

    record: str
    groups: str
    scopes: str
    records: str
    rejected: str
    """The field of an answer's partial success."""


NAMES: Mapping[Signal, Names] = {
    "traces": Names("span", "resourceSpans", "scopeSpans", "spans", "rejectedSpans"),
    "logs": Names("log record", "resourceLogs", "scopeLogs", "logRecords", "rejectedLogRecords"),
    "metrics": Names("metric", "resourceMetrics", "scopeMetrics", "metrics", "rejectedDataPoints"),
}
PATHS: Mapping[str, Signal] = {
    "/v1/traces": "traces",
    "/api/v1/public/traces": "traces",
    "/v1/logs": "logs",
    "/v1/metrics": "metrics",
}
SERVED: tuple[Signal, ...] = ("traces", "logs", "metrics")


def of_path(path: str) -> Signal | None:
    """The signal that is posted there, with or without a slash at the end."""
    return PATHS.get(path.removesuffix("/"))
