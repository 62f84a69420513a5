"""Where acknowledged spans go: the engine; without it the spool; row by row the quarantine.

`store` and `acknowledge` run in threads, on groups of requests. Nothing is answered from here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from traces.ingest import quarantine, receipts
from traces.ingest.arrivals import Arrival
from traces.ingest.breaker import Breaker
from traces.spool import deposits
from traces.spool.deposits import NotSpooled
from traces.store import writer
from traces.store.errors import StoreError, StoreRejected, StoreUnavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stored:
    """The engine has the rows, but for those in quarantine. The receipt is still to be written."""

    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Spooled:
    """Rows and receipt are committed to the spool."""


Outcome = Stored | Spooled


def _now() -> datetime:
    return datetime.now(UTC)


class Storing:
    """One a process: it knows whether the engine is away."""

    def __init__(self, breaker: Breaker, now: Callable[[], datetime] = _now) -> None:
        self._breaker = breaker
        self._now = now

    def store(self, arrivals: Sequence[Arrival]) -> list[Outcome | StoreError]:
        """Outcomes in order; an error means that nothing is promised for that request."""
        if self._breaker.is_open:
            return self._spool(arrivals)
        try:
            writer.insert([arrival.batch for arrival in arrivals])
        except StoreRejected as error:
            return self._store_apart(arrivals, error)
        except StoreUnavailable as error:
            self._breaker.failed(error)
            return self._spool(arrivals)
        return [Stored()] * len(arrivals)

    def acknowledge(self, arrivals: Sequence[Arrival]) -> list[StoreError | None]:
        """Write the receipts of stored requests; without the engine, into the spool."""
        if not self._breaker.is_open:
            try:
                receipts.insert([arrival.receipt for arrival in arrivals])
            except StoreRejected as error:
                # Ours are all of one make: a receipt is no reason to refuse stored spans.
                log.error("receipts.rejected requests=%d reason=%s", len(arrivals), error)
                return [None] * len(arrivals)
            except StoreUnavailable as error:
                self._breaker.failed(error)
            else:
                return [None] * len(arrivals)
        alone = [replace(a, batch=a.batch.without_rows()) for a in arrivals]
        return [o if isinstance(o, StoreError) else None for o in self._spool(alone)]

    def _store_apart(
        self, arrivals: Sequence[Arrival], error: StoreRejected
    ) -> list[Outcome | StoreError]:
        """One request's rows must not fail the others': halve until it stands alone."""
        if len(arrivals) > 1:
            log.warning("store.shared_insert_rejected requests=%d reason=%s", len(arrivals), error)
            middle = len(arrivals) // 2
            return [*self.store(arrivals[:middle]), *self.store(arrivals[middle:])]
        try:
            return [Stored(quarantine.store_apart(arrivals[0], error, now=self._now()))]
        except StoreUnavailable as away:
            self._breaker.failed(away)
            return self._spool(arrivals)

    def _spool(self, arrivals: Sequence[Arrival]) -> list[Outcome | StoreError]:
        spooled = [replace(a, receipt=replace(a.receipt, is_spooled=True)) for a in arrivals]
        try:
            deposits.put(spooled, now=self._now())
        except NotSpooled as error:
            if len(arrivals) == 1:
                return [error]
            # Full for one project, or for many requests at once, is not full for each.
            return [outcome for arrival in arrivals for outcome in self._spool([arrival])]
        except StoreUnavailable as error:
            return [error] * len(arrivals)
        return [Spooled()] * len(arrivals)
