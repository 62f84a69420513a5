"""One request, ready to be stored: its rows as columns, and its receipt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from traces.admission import book as admission_book
from traces.admission import rules
from traces.cutting import limits as cut_limits
from traces.cutting import logs as cutting_logs
from traces.cutting import spans as cutting
from traces.cutting import usage as cutting_usage
from traces.ingest.receipts import MAX_REASONS, MAX_SAMPLES, Receipt
from traces.otlp.arrived import Arrived
from traces.otlp.decoded import Rejection
from traces.store import batches, log_rows, usage_rows
from traces.store.batches import Batch

LATE_SECONDS = 300
"""A span that arrives so long after its end comes too late for most of what looks at traces."""

# "span 'name' (id): reason" without the span: what many rejections have in common
_OF_ONE_SPAN = re.compile(
    r"^(?:span|log record|metric) (?:'.*'|\".*\"|\(unnamed\))(?: \([^()]{0,32}\))?: ", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Arrival:
    batch: Batch
    receipt: Receipt

    @property
    def rows(self) -> int:
        return self.batch.rows


def of(arrived: Arrived, *, key_id: UUID, project_id: UUID, retention_days: int) -> Arrival:
    """The work of some microseconds a span: beside the event loop for large requests."""
    kept = rules.apply(arrived.spans, admission_book.rules(project_id))
    limits = cut_limits.from_settings()
    truncated_logs = cutting_logs.cut(arrived.logs, arrived.body_bytes, limits)
    usage, truncated_usage = cutting_usage.cut(arrived.usage, limits)
    arrived = replace(arrived, spans=kept.spans, usage=usage)
    batch = _batch(arrived, project_id, retention_days)
    truncated = cutting.cut(kept.spans, batch, arrived.body_bytes, limits)
    if truncated:
        batch = _batch(arrived, project_id, retention_days)
    receipt = replace(
        _receipt(arrived, key_id, project_id),
        truncated=truncated + truncated_logs + truncated_usage,
        dropped=kept.dropped,
        dropped_by=dict(kept.dropped_by),
    )
    return Arrival(batch, receipt)


def _batch(arrived: Arrived, project_id: UUID, retention_days: int) -> Batch:
    origin: dict[str, Any] = {
        "project_id": project_id,
        "received_ns": arrived.received_ns,
        "retention_days": retention_days,
    }
    if arrived.signal == "logs":
        return log_rows.to_batch(arrived.logs, **origin)
    if arrived.signal == "metrics":
        return usage_rows.to_batch(arrived.usage, **origin)
    return batches.of(arrived.spans, **origin)


def _receipt(arrived: Arrived, key_id: UUID, project_id: UUID) -> Receipt:
    reasons = Counter[str]()
    for rejection in arrived.rejected:
        reasons[cause(rejection.reason)] += rejection.count
    latest_ns = arrived.received_ns - LATE_SECONDS * 1_000_000_000
    return Receipt(
        project_id=project_id,
        receipt_id=uuid4(),
        kind="stored" if arrived.signal == "traces" else arrived.signal,
        key_id=key_id,
        received_ns=arrived.received_ns,
        status=200,
        encoding=arrived.encoding,
        content_encoding=arrived.content_encoding[:20],
        sdk_name=arrived.sdk.name,
        sdk_version=arrived.sdk.version,
        sdk_language=arrived.sdk.language,
        accepted=len(arrived.spans),
        unique_spans=len({(span.trace_id, span.span_id) for span in arrived.spans}),
        rejected=sum(reasons.values()),
        late=sum(1 for span in arrived.spans if 0 < span.end_ns < latest_ns),
        records=len(arrived.logs) + len(arrived.usage),
        compressed_bytes=arrived.compressed_bytes,
        body_bytes=arrived.body_bytes,
        reasons=dict(reasons.most_common(MAX_REASONS)),
        samples=_samples(arrived.rejected),
    )


def cause(reason: str) -> str:
    """A rejection's reason without the name and id of its span."""
    return _OF_ONE_SPAN.sub("", reason)[:200]


def _samples(rejected: Sequence[Rejection]) -> list[str]:
    return [rejection.reason[:300] for rejection in rejected[:MAX_SAMPLES]]
