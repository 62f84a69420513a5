"""Places that many want, of which no owner may have more than a share; who waits comes in turn."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Hashable


class FairRoom:
    """Belongs to one event loop."""

    def __init__(self, places: int, share: int) -> None:
        self._free = places
        self._share = share
        self._inside: Counter[Hashable] = Counter()
        self._waiting: deque[tuple[Hashable, asyncio.Future[None]]] = deque()

    async def enter(self, owner: Hashable) -> None:
        """Returns once there is a place; then `leave` is owed."""
        if self._may_enter(owner):
            self._take(owner)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((owner, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(owner)  # the place came in the moment of giving up
            raise

    def leave(self, owner: Hashable) -> None:
        self._free += 1
        self._inside[owner] -= 1
        if not self._inside[owner]:
            del self._inside[owner]
        self._admit()

    def _may_enter(self, owner: Hashable) -> bool:
        return self._free > 0 and self._inside[owner] < self._share

    def _take(self, owner: Hashable) -> None:
        self._free -= 1
        self._inside[owner] += 1

    def _admit(self) -> None:
        stay: deque[tuple[Hashable, asyncio.Future[None]]] = deque()
        for owner, turn in self._waiting:
            if turn.done():
                continue
            if self._may_enter(owner):
                self._take(owner)
                turn.set_result(None)
            else:
                stay.append((owner, turn))
        self._waiting = stay
