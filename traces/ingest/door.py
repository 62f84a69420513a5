"""The way of a request through a process: rows stored in groups, receipts in groups, then 200."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

from traces.deletion import tombstones
from traces.ingest.arrivals import Arrival
from traces.ingest.breaker import Breaker
from traces.ingest.group_commit import GroupCommit
from traces.ingest.storing import Apart, Outcome, Spooled, Stored, Storing
from traces.store import writer

_MAX_WAITING_ROWS = 100_000
_MAX_RECEIPTS = 2_000
_REST_SECONDS_A_REQUEST = 0.001
"""Many requests in one INSERT come from many senders, who send again once they are answered."""
_RECEIPT_REST_SECONDS = 0.025
_RECEIPT_REST_A_REQUEST = 0.0005
"""An INSERT of receipts costs the engine some 10 ms of CPU whether it holds one or a hundred."""
_SECOND_INSERT_ROWS = 5_000
_REST_SECONDS_A_ROW, _LONGEST_REST_SECONDS = 0.00015, 0.4


def _rest(rows: int, requests: int) -> float:
    """An INSERT of spans costs the engine 20 ms of CPU and 25 µs a row, and its part is merged: so
    many rows of several requests are followed by a pause in which more come together, and those of
    a request that came alone by none.
    """
    others = requests - 1
    wanted = rows * others / requests * _REST_SECONDS_A_ROW + others * _REST_SECONDS_A_REQUEST
    return min(_LONGEST_REST_SECONDS, wanted)


def _project(arrival: Arrival) -> UUID:
    return arrival.batch.project_id


class Door:
    """Belongs to the event loop of its first use."""

    def __init__(self, storing: Storing | None = None) -> None:
        storing = storing or Storing(Breaker())
        self._spans = GroupCommit[Arrival, Outcome | Apart](
            storing.store_together,
            lambda arrival: arrival.rows,
            owner=_project,
            name="store-writer",
            commits=2,
            max_size=writer.MAX_ROWS,
            max_waiting=_MAX_WAITING_ROWS,
            worth=_SECOND_INSERT_ROWS,
            rest=_rest,
        )
        # In a thread of its own, request by request, the projects in turn: a project waits for the
        # sorting of its own rows, and of one request of each other at most.
        self._apart = GroupCommit[Arrival, Outcome](
            storing.store_apart,
            lambda arrival: arrival.rows,
            owner=_project,
            name="row-sorter",
            commits=1,
            max_size=1,
            max_waiting=_MAX_WAITING_ROWS,
        )
        # One at a time: what stores spans meanwhile fills the next group of receipts.
        self._receipts = GroupCommit[Arrival, None](
            storing.acknowledge,
            owner=_project,
            name="receipt-writer",
            commits=1,
            max_size=_MAX_RECEIPTS,
            max_waiting=_MAX_WAITING_ROWS,
            rest=lambda _, requests: _RECEIPT_REST_SECONDS + requests * _RECEIPT_REST_A_REQUEST,
        )

    async def write(self, arrival: Arrival) -> None:
        """Return when the request may be answered 200.

        Raises Overloaded or StoreUnavailable: then the sender must send again, which replaces and
        never doubles.
        """
        if not tombstones.is_loaded():
            await asyncio.to_thread(tombstones.load)
        arrival = tombstones.current().without_deleted(arrival)
        outcome: Outcome = Stored()
        if arrival.rows:
            first = await self._spans.write(arrival)
            outcome = await self._apart.write(arrival) if isinstance(first, Apart) else first
        elif not arrival.receipt.reasons and not arrival.receipt.dropped:
            return  # an empty request is not worth a row
        if isinstance(outcome, Spooled):
            return
        if outcome.quarantined:
            receipt = replace(arrival.receipt, quarantined=outcome.quarantined)
            arrival = replace(arrival, receipt=receipt)
        await self._receipts.write(arrival)
