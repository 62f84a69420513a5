"""Receipts: one row an acknowledged request, written after its spans and before its answer.

Before, a receipt could speak of spans that a crash kept from being written; after the answer, spans
could be acknowledged without one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from traces.store import client

MAX_REASONS = 20
MAX_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Receipt:
    """`kind` is stored (one request of spans), logs or metrics (the same of another signal) or
    refused (`requests` of them with the same answer).

    `accepted` counts the spans that were taken, with repetitions; `unique_spans` without; `records`
    the log records or data points. What is rejected or truncated is of the same signal.
    """

    project_id: UUID
    receipt_id: UUID
    kind: str
    key_id: UUID
    received_ns: int
    status: int
    requests: int = 1
    encoding: str = ""
    content_encoding: str = ""
    sdk_name: str = ""
    sdk_version: str = ""
    sdk_language: str = ""
    accepted: int = 0
    unique_spans: int = 0
    rejected: int = 0
    dropped: int = 0
    dropped_by: dict[str, int] = field(default_factory=dict)
    """Of the dropped, by rule."""
    truncated: int = 0
    late: int = 0
    records: int = 0
    quarantined: int = 0
    is_spooled: bool = False
    compressed_bytes: int = 0
    body_bytes: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    samples: list[str] = field(default_factory=list)


_Read = Callable[[Receipt], Any]
_COLUMNS: tuple[tuple[str, str, _Read], ...] = (
    ("project_id", "UUID", lambda r: r.project_id),
    ("receipt_id", "UUID", lambda r: r.receipt_id),
    ("kind", "LowCardinality(String)", lambda r: r.kind),
    ("key_id", "UUID", lambda r: r.key_id),
    ("received_ns", "UInt64", lambda r: r.received_ns),
    ("received_at", "DateTime('UTC')", lambda r: r.received_ns // 1_000_000_000),
    ("requests", "UInt32", lambda r: r.requests),
    ("status", "UInt16", lambda r: r.status),
    ("encoding", "LowCardinality(String)", lambda r: r.encoding),
    ("content_encoding", "LowCardinality(String)", lambda r: _text(r.content_encoding)),
    ("sdk_name", "LowCardinality(String)", lambda r: _text(r.sdk_name)),
    ("sdk_version", "LowCardinality(String)", lambda r: _text(r.sdk_version)),
    ("sdk_language", "LowCardinality(String)", lambda r: _text(r.sdk_language)),
    ("accepted", "UInt32", lambda r: r.accepted),
    ("unique_spans", "UInt32", lambda r: r.unique_spans),
    ("rejected", "UInt32", lambda r: r.rejected),
    ("dropped", "UInt32", lambda r: r.dropped),
    ("truncated", "UInt32", lambda r: r.truncated),
    ("late", "UInt32", lambda r: r.late),
    ("records", "UInt32", lambda r: r.records),
    ("quarantined", "UInt32", lambda r: r.quarantined),
    ("is_spooled", "Bool", lambda r: r.is_spooled),
    ("compressed_bytes", "UInt64", lambda r: r.compressed_bytes),
    ("body_bytes", "UInt64", lambda r: r.body_bytes),
    (
        "reasons",
        "Map(LowCardinality(String), UInt64)",
        lambda r: {_text(reason): count for reason, count in r.reasons.items()},
    ),
    (
        "dropped_by",
        "Map(LowCardinality(String), UInt64)",
        lambda r: {_text(rule): count for rule, count in r.dropped_by.items()},
    ),
    ("samples", "Array(String)", lambda r: [_text(sample) for sample in r.samples]),
)
_NAMES = [name for name, _, _ in _COLUMNS]
_TYPES = [type_ for _, type_, _ in _COLUMNS]


def insert(receipts: Sequence[Receipt]) -> None:
    """Write them; the same one again replaces itself. Raises StoreUnavailable or StoreRejected."""
    if receipts:
        columns = [[read(receipt) for receipt in receipts] for _, _, read in _COLUMNS]
        client.insert("receipts", columns, _NAMES, _TYPES)


def _text(value: str) -> str:
    """What senders wrote may hold halves of surrogate pairs, which have no UTF-8 form."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


class Clock:
    """Receipt times, ns since the epoch, that never repeat in a process: they join the engine's
    ledger to the receipts.
    """

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns
        self._last = 0
        self._lock = threading.Lock()

    def __call__(self) -> int:
        with self._lock:
            self._last = max(self._now_ns(), self._last + 1)
            return self._last
