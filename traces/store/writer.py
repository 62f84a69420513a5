"""Writes batches in one INSERT a table, and compares what the engine wrote with what was sent.

Nothing here waits, spools or gives up; that is `traces.ingest`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from traces.spans import Span
from traces.store import batches, client, cluster, statements
from traces.store.batches import Batch
from traces.store.errors import StoreUnavailable

log = logging.getLogger(__name__)

MAX_ROWS = 10_000
"""Of one INSERT; a single batch may be larger."""


def insert(sent: Sequence[Batch]) -> None:
    """Return when the engine has every row.

    Raises StoreUnavailable or StoreRejected; then some rows may be written nevertheless, which does
    no harm: written again they replace themselves.
    """
    filled = sorted((batch for batch in sent if batch.rows), key=lambda batch: batch.table)
    for portion in batches.portions(filled, MAX_ROWS):
        first = portion[0]
        columns, names, types = batches.joined(portion), first.names, first.types
        if first.table == "spans":
            columns, names, types = batches.without_empty(columns, names, types)
        written = client.insert(first.table, columns, names, types)
        _compare(portion, written)


def store(spans: Sequence[Span], retention_days: Sequence[int]) -> None:
    """Spans of any projects and retention classes, without group commit, spool or receipt."""
    by_owner: dict[tuple[object, int], list[Span]] = {}
    for span, days in zip(spans, retention_days, strict=True):
        by_owner.setdefault((span.project_id, days), []).append(span)
    insert(
        [
            batches.of(
                owned,
                project_id=owned[0].project_id,
                received_ns=owned[0].received_ns,
                retention_days=days,
            )
            for (_, days), owned in by_owner.items()
        ]
    )


def _compare(portion: Sequence[Batch], written: int) -> None:
    """The engine counts what views wrote too: the ledger a row a span, the index a row a trace."""
    spans = sum(batch.rows for batch in portion)
    if written < spans:
        raise StoreUnavailable(f"The trace store wrote {written} of {spans} rows.")
    if portion[0].table != "spans":
        return  # no view follows the others
    expected = 2 * spans + _index_rows(portion)
    if written != expected:
        log.warning(
            "store.row_count_differs written=%d expected=%d spans=%d", written, expected, spans
        )
    # How many of fewer rows are spans, only the table says. Views of a cluster count elsewhere.
    if written < expected and not cluster.is_cluster():
        for batch in portion:
            _look(batch)


def _look(batch: Batch) -> None:
    """Raises StoreUnavailable unless the engine holds every span of the request."""
    trace_ids, times = batch.column("trace_id"), batch.column("bucket_time")
    sent = len(set(zip(trace_ids, batch.column("span_id"), strict=True)))
    asked = {
        "project_id": str(batch.project_id),
        "since": min(times),
        "until": max(times),
        "trace_ids": sorted({one.hex() for one in trace_ids}),
        "received_ns": batch.received_ns,
    }
    [found] = client.query(statements.text("stored_of_request"), asked)
    if found["spans"] < sent:
        raise StoreUnavailable(f"The trace store holds {found['spans']} of {sent} spans.")


def _index_rows(portion: Sequence[Batch]) -> int:
    if len(portion) == 1:
        return portion[0].trace_count
    return len(
        {
            (batch.project_id, batch.retention_days, trace_id)
            for batch in portion
            for trace_id in batch.column("trace_id")
        }
    )
