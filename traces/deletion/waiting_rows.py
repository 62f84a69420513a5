"""Rows that have not reached the trace store: in the spool and in quarantine."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from traces.deletion import tombstones
from traces.deletion.wanted import Wanted
from traces.ingest.arrivals import Arrival
from traces.models import QuarantinedSpan, SpoolBatch
from traces.spool import encoding
from traces.spool.deposits import connected


def erase(wanted: Wanted) -> Counter[str]:
    """Takes the rows out; returns how many, by place, and `unreadable` for what cannot be seen
    into. Raises StoreUnavailable.

    A request that a drainer holds is left to it: it asks for tombstones itself.
    """
    gone: Counter[str] = Counter()
    with connected():
        _erase_spooled(wanted, gone)
    _erase_quarantined(wanted, gone)
    return gone


def empty_samples(project_id: UUID, until: datetime) -> None:
    """What receipts of requests that came until then and wait quote of rejected spans."""
    old = {"project_id": project_id, "created_at__lte": until}
    with connected():
        for waiting in SpoolBatch.objects.filter(**old).iterator(chunk_size=50):
            _write_without_samples(waiting)
    for kept in QuarantinedSpan.objects.filter(**old).iterator(chunk_size=50):
        _write_without_samples(kept)


def trace_ids_of(wanted: Wanted) -> set[bytes]:
    """Traces of which a row that waits names the session or user: the store knows nothing of them
    yet. Raises StoreUnavailable."""
    found: set[bytes] = set()
    with connected():
        for waiting in SpoolBatch.objects.filter(project_id=wanted.project_id).iterator(50):
            found |= _named_in(bytes(waiting.content), wanted)
    quarantined = QuarantinedSpan.objects.for_project(wanted.project_id).exclude(content=b"")
    for kept in quarantined.iterator(chunk_size=50):
        found |= _named_in(bytes(kept.content), wanted)
    return found


def _named_in(content: bytes, wanted: Wanted) -> set[bytes]:
    arrival = _read(content)
    if arrival is None or "trace_id" not in arrival.batch.names:
        return set()
    kept = set(wanted.kept(arrival.batch))
    ids = arrival.batch.column("trace_id")
    return {ids[row] for row in range(arrival.batch.rows) if row not in kept and any(ids[row])}


def _erase_spooled(wanted: Wanted, gone: Counter[str]) -> None:
    spooled = SpoolBatch.objects.filter(project_id=wanted.project_id)
    if wanted.is_everything:
        gone["spool"] += sum(spooled.values_list("rows", flat=True))
        spooled.delete()
        return
    for batch in spooled.order_by("created_at", "id").iterator(chunk_size=50):
        arrival = _read(bytes(batch.content))
        if arrival is None:
            gone["unreadable"] += 1
            continue
        kept = wanted.kept(arrival.batch)
        if len(kept) == arrival.batch.rows:
            continue
        rest = tombstones.keep_rows(arrival, kept)
        content = encoding.encode(rest)
        changed = SpoolBatch.objects.filter(id=batch.id, attempts=batch.attempts).update(
            content=content,
            bytes=len(content),
            rows=rest.rows,
            accepted=rest.receipt.accepted,
        )
        gone["spool"] += (arrival.rows - rest.rows) if changed else 0


def _erase_quarantined(wanted: Wanted, gone: Counter[str]) -> None:
    kept = QuarantinedSpan.objects.for_project(wanted.project_id)
    if wanted.trace_ids:
        gone["quarantine"] += kept.filter(trace_id__in=wanted.hex_ids).delete()[0]
    elif wanted.is_everything:
        gone["quarantine"] += kept.delete()[0]
    if not (wanted.session_id or wanted.user_id):
        return
    for row in kept.exclude(content=b"").iterator(chunk_size=50):
        arrival = _read(bytes(row.content))
        if arrival is None:
            gone["unreadable"] += 1
        elif not wanted.kept(arrival.batch):
            gone["quarantine"] += kept.filter(id=row.id).delete()[0]


def _write_without_samples(row: SpoolBatch | QuarantinedSpan) -> None:
    arrival = _read(bytes(row.content)) if row.content else None
    if arrival is None or not arrival.receipt.samples:
        return
    content = encoding.encode(
        replace(
            arrival,
            receipt=replace(
                arrival.receipt,
                samples=[],
                reasons={"(deleted)": sum(arrival.receipt.reasons.values())},
            ),
        )
    )
    if isinstance(row, SpoolBatch):
        SpoolBatch.objects.filter(id=row.id).update(content=content, bytes=len(content))
    else:
        QuarantinedSpan.objects.filter(id=row.id).update(content=content)


def _read(content: bytes) -> Arrival | None:
    try:
        return encoding.decode(content)
    except encoding.Unreadable:
        return None
