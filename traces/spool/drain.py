"""The spool's way into the engine: claim, store, receipt, delete; killed anywhere, done again.

Rows get their `stored_at` now, so that live pages and settling see them as what they are: new.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from django.conf import settings
from django.db import connections

from traces.deletion import tombstones
from traces.ingest import quarantine, receipts
from traces.ingest.arrivals import Arrival
from traces.models import SpoolBatch
from traces.spool import encoding, leases
from traces.spool.deposits import connected
from traces.store import client, writer
from traces.store.errors import StoreRejected, StoreUnavailable

log = logging.getLogger(__name__)

MAX_SECONDS = 20.0
_Claimed = tuple[SpoolBatch, Arrival]


def _now() -> datetime:
    return datetime.now(UTC)


def drain(*, max_seconds: float = MAX_SECONDS, now: Callable[[], datetime] = _now) -> int:
    """Store what waits, for at most about `max_seconds`; returns how many requests.

    Without the engine nothing happens. Raises StoreUnavailable when the spool's database is away.
    """
    with connected():
        if not SpoolBatch.objects.exists():
            return 0
        if not client.is_reachable(seconds=1.0):
            return 0
        drainer, stored = Drainer(now), 0
        deadline = time.monotonic() + max_seconds
        while time.monotonic() < deadline:
            claimed = drainer.claim()
            if not claimed:
                break
            try:
                drainer.store(claimed)
            except StoreUnavailable as error:
                leases.give_back(drainer.owner, str(error))
                log.warning("spool.drain_stopped reason=%s", error)
                break
            drainer.finish(claimed)
            stored += len(claimed)
        if stored:
            log.info("spool.drained requests=%d", stored)
            _shrink()
        return stored


class Drainer:
    """The steps of draining. What ends between two of them is done again by the next drainer."""

    def __init__(self, now: Callable[[], datetime] = _now) -> None:
        self.owner = uuid4()
        self._now = now
        self._after = uuid4()  # a random place to begin, so that drainers meet seldom

    def claim(self) -> list[_Claimed]:
        """Requests that fit into one INSERT. Those that cannot be read are put aside."""
        self.owner = uuid4()
        while True:
            batches = leases.claim(self.owner, after=self._after, now=self._now())
            claimed = [one for batch in batches if (one := self._read(batch)) is not None]
            if claimed or not batches:
                break
        if claimed:
            self._after = claimed[-1][0].project_id
        return claimed

    def store(self, claimed: Sequence[_Claimed]) -> None:
        """Rows, then receipts. Raises StoreUnavailable."""
        arrivals = tombstones.without_deleted([arrival for _, arrival in claimed])
        receipts.insert([arrival.receipt for arrival in self._stored(arrivals)])

    def finish(self, claimed: Sequence[_Claimed]) -> None:
        leases.finish(self.owner, [batch for batch, _ in claimed])

    def _stored(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        try:
            writer.insert([arrival.batch for arrival in arrivals])
        except StoreRejected as error:
            if len(arrivals) > 1:
                middle = len(arrivals) // 2
                return [*self._stored(arrivals[:middle]), *self._stored(arrivals[middle:])]
            arrival = arrivals[0]
            kept = quarantine.store_apart(arrival, error, now=self._now())
            return [replace(arrival, receipt=replace(arrival.receipt, quarantined=kept))]
        return list(arrivals)

    def _read(self, batch: SpoolBatch) -> _Claimed | None:
        try:
            return batch, encoding.decode(bytes(batch.content))
        except encoding.Unreadable as error:
            log.error("spool.unreadable batch=%s reason=%s", batch.id, error)
            leases.put_aside(batch, f"It cannot be read: {error}", now=self._now())
            return None


def _shrink() -> None:
    """Give the disk back what the drained rows took."""
    connection = connections[settings.SPOOL_ALIAS]
    if connection.vendor == "sqlite" and not SpoolBatch.objects.exists():
        with connection.cursor() as cursor:
            # As a script: a single statement is stepped once, and frees one page a step.
            cursor.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);")
