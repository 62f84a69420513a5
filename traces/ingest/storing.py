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


@dataclass(frozen=True, slots=True)
class Apart:
    """Nothing is promised yet: the engine refused its project's rows; `store_apart` sorts them."""


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
        return [
            self._sorted_out(arrival) if isinstance(outcome, Apart) else outcome
            for arrival, outcome in zip(arrivals, self.store_together(arrivals), strict=True)
        ]

    def store_together(self, arrivals: Sequence[Arrival]) -> list[Outcome | Apart | StoreError]:
        """As `store`, without the slow work on refused rows: nobody waits for another's."""
        if self._breaker.is_open:
            return [*self._spool(arrivals)]
        try:
            writer.insert([arrival.batch for arrival in arrivals])
        except StoreRejected as error:
            return self._store_by_project(arrivals, error)
        except StoreUnavailable as error:
            self._breaker.failed(error)
            return [*self._spool(arrivals)]
        return [Stored()] * len(arrivals)

    def store_apart(self, arrivals: Sequence[Arrival]) -> list[Outcome | StoreError]:
        """Each request for itself, row by row where it must be."""
        return [self._sorted_out(arrival) for arrival in arrivals]

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

    def _store_by_project(
        self, arrivals: Sequence[Arrival], error: StoreRejected
    ) -> list[Outcome | Apart | StoreError]:
        """Projects are halved until the refused one stands alone: the others wait for some INSERTs
        more, and not for its rows to be sorted.
        """
        projects = list(dict.fromkeys(arrival.batch.project_id for arrival in arrivals))
        if len(projects) == 1:
            return [Apart()] * len(arrivals)
        log.warning("store.shared_insert_rejected requests=%d reason=%s", len(arrivals), error)
        first = set(projects[: len(projects) // 2])
        sides: dict[bool, list[Arrival]] = {True: [], False: []}
        for arrival in arrivals:
            sides[arrival.batch.project_id in first].append(arrival)
        outcomes = {side: iter(self.store_together(those)) for side, those in sides.items()}
        return [next(outcomes[arrival.batch.project_id in first]) for arrival in arrivals]

    def _sorted_out(self, arrival: Arrival) -> Outcome | StoreError:
        if self._breaker.is_open:
            return self._spool([arrival])[0]
        try:
            writer.insert([arrival.batch])
        except StoreUnavailable as error:
            self._breaker.failed(error)
            return self._spool([arrival])[0]
        except StoreRejected as error:
            return self._quarantined(arrival, error)
        return Stored()

    def _quarantined(self, arrival: Arrival, error: StoreRejected) -> Outcome | StoreError:
        try:
            return Stored(quarantine.store_apart(arrival, error, now=self._now()))
        except StoreUnavailable as away:
            self._breaker.failed(away)
            return self._spool([arrival])[0]

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
