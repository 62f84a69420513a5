"""Rows that the engine refuses for a reason of their own: found by halving, kept with the reason.

So no request is sent again and again for one bad row, and no other row suffers for it. The request
was acknowledged; its page says how many spans are here, and `release` stores them after all.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from django.db import DatabaseError, InterfaceError
from django.db.utils import IntegrityError

from accounts.models import Project
from traces.deletion import tombstones
from traces.ingest.arrivals import Arrival
from traces.models import QuarantinedSpan
from traces.spool import deposits, encoding
from traces.store import writer
from traces.store.batches import Batch
from traces.store.errors import StoreRejected, StoreUnavailable

log = logging.getLogger(__name__)

MAX_INSERTS = 200
"""A request that is bad throughout is taken apart with so many INSERTs; its rest goes whole."""
_NAMESPACE = UUID("6f1f6f0e-6f2d-4c58-9d3c-1c8f6d0a5e11")

_Refused = list[tuple[int, int, str]]  # rows from, to (exclusive), reason


def store_apart(arrival: Arrival, error: StoreRejected, *, now: datetime) -> int:
    """Store what the engine takes of a refused batch and keep the rest; returns how many rows.

    Raises StoreUnavailable when the engine or the database went away meanwhile.
    """
    refused: _Refused = []
    budget = [MAX_INSERTS]
    _split(arrival.batch, 0, arrival.batch.rows, str(error), budget, refused)
    rows = [
        _row(arrival, number, reason, now)
        for start, stop, reason in refused
        for number in range(start, stop)
    ]
    _keep(arrival.batch.project_id, rows)
    log.warning(
        "spans.quarantined project=%s rows=%d of=%d reason=%s",
        *(arrival.batch.project_id, len(rows), arrival.batch.rows, error),
    )
    return len(rows)


def _split(
    batch: Batch, start: int, stop: int, reason: str, budget: list[int], refused: _Refused
) -> None:
    """Rows `start` to `stop` were refused together."""
    if stop - start == 1 or budget[0] <= 0:
        refused.append((start, stop, reason))
        return
    middle = (start + stop) // 2
    for first, last in ((start, middle), (middle, stop)):
        budget[0] -= 1
        try:
            writer.insert([batch.part(first, last)])
        except StoreRejected as error:
            _split(batch, first, last, str(error), budget, refused)


def release(spans: Sequence[QuarantinedSpan], *, now: datetime) -> tuple[int, int]:
    """Try to store them after all: (stored, refused again). Raises StoreUnavailable."""
    stored = refused = 0
    for span in spans:
        try:
            arrivals = tombstones.without_deleted([encoding.decode(bytes(span.content))])
            writer.insert([arrival.batch for arrival in arrivals])
        except (StoreRejected, encoding.Unreadable) as error:
            refused += 1
            QuarantinedSpan.objects.filter(pk=span.pk).update(reason=_clean(str(error)))
            continue
        stored += 1
        QuarantinedSpan.objects.filter(pk=span.pk).update(released_at=now, content=b"")
    return stored, refused


def _row(arrival: Arrival, number: int, reason: str, now: datetime) -> QuarantinedSpan:
    batch = arrival.batch.part(number, number + 1)
    # Data points of metrics have neither.
    trace_id, span_id = (
        batch.column(name)[0] if name in batch.names else b"" for name in ("trace_id", "span_id")
    )
    return QuarantinedSpan(
        # The same row, quarantined again after a crash, is the same row here.
        id=uuid5(_NAMESPACE, f"{arrival.receipt.receipt_id} {number}"),
        project_id=batch.project_id,
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        received_ns=batch.received_ns,
        reason=_clean(reason),
        created_at=now,
        content=_content(replace(arrival, batch=batch)),
    )


def _content(arrival: Arrival) -> bytes:
    try:
        return encoding.encode(arrival)
    except encoding.Unwritable:
        return b""  # kept by its ids and reason; there is nothing that could be released


def _keep(project_id: UUID, rows: list[QuarantinedSpan]) -> None:
    try:
        QuarantinedSpan.objects.bulk_create(rows, ignore_conflicts=True)
    except IntegrityError as error:
        if Project.objects.filter(pk=project_id).exists():
            raise StoreUnavailable("The quarantine refuses these rows.") from error
        log.warning("spans.project_gone project=%s rows=%d", project_id, len(rows))
    except (DatabaseError, InterfaceError) as error:
        raise StoreUnavailable(
            f"The quarantine cannot be written: {type(error).__name__}."
        ) from error
    finally:
        deposits.let_go("default")


def _clean(reason: str) -> str:
    """PostgreSQL's text takes no U+0000."""
    return reason.replace("\0", "\N{REPLACEMENT CHARACTER}")[:2000]
