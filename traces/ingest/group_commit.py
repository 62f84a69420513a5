"""Requests that wait at the same time are written together, and each gets its own outcome.

Belongs to one event loop. What is written, and what comes of it, is the matter of `commit`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from traces.otlp.fair_queue import FairQueue
from traces.store.errors import Overloaded, StoreError, StoreUnavailable

log = logging.getLogger(__name__)

OWNER_SHARE = 0.5

T = TypeVar("T")
R = TypeVar("R")
Commit = Callable[[Sequence[T]], Sequence[R | StoreError]]
"""Outcomes in order: a result, or the error to raise."""


@dataclass(slots=True)
class _Waiting(Generic[T, R]):
    item: T
    owner: Hashable
    size: int
    done: asyncio.Future[R] = field(repr=False)


class GroupCommit(Generic[T, R]):
    """Collects what arrives while a commit runs and commits it with the next.

    `commits` run at once, in threads, each of at most `max_size` (or one item); a second one
    begins only for `worth` that waits. More than `max_waiting` waiting is refused with Overloaded,
    and so is more than half of that of one owner (mostly a project); owners take turns. After a
    commit, the seconds that `rest` gives for its size and its number of items pass before the next:
    under load fewer and larger ones, and next to no wait for whoever comes alone.
    """

    def __init__(
        self,
        commit: Commit[T, R],
        size: Callable[[T], int] = lambda item: 1,
        *,
        owner: Callable[[T], Hashable] = lambda item: None,
        name: str,
        commits: int,
        max_size: int,
        max_waiting: int,
        worth: int = 1,
        rest: Callable[[int, int], float] = lambda size, items: 0.0,
    ) -> None:
        self._commit = commit
        self._size = size
        self._owner = owner
        self._max_size = max_size
        self._max_waiting = max_waiting
        self._commits = commits
        self._worth = worth
        self._rest = rest
        self._queue = FairQueue[_Waiting[T, R]]()
        self._waiting = 0
        self._owned: Counter[Hashable] = Counter()
        self._running = 0
        self._is_starting = False
        self._threads = ThreadPoolExecutor(commits, thread_name_prefix=name)
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, item: T) -> R:
        """The item's own outcome. Raises Overloaded or the error of its commit."""
        size = self._size(item)
        if self._waiting and self._waiting + size > self._max_waiting:
            raise Overloaded("More spans wait to be written than this process holds.")
        owner = self._owner(item)
        owned = self._owned[owner]
        if owner is not None and owned and owned + size > self._max_waiting * OWNER_SHARE:
            raise Overloaded("More spans of this project wait to be written than may.")
        waiting = _Waiting[T, R](item, owner, size, asyncio.get_running_loop().create_future())
        self._queue.put(owner, waiting)
        self._waiting += size
        self._owned[owner] += size
        self._start_soon()
        return await waiting.done

    def _start_soon(self) -> None:
        """Once the loop has come round: requests that one commit answered come here together, and
        without this the first of them would be a group alone and the others the next.
        """
        if not self._is_starting and self._may_start():
            self._is_starting = True
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        self._is_starting = False
        while self._queue and self._may_start():
            group = self._take()
            self._running += 1
            task = asyncio.get_running_loop().create_task(self._run(group))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _may_start(self) -> bool:
        return not self._running or (self._running < self._commits and self._waiting >= self._worth)

    def _take(self) -> list[_Waiting[T, R]]:
        """Stops at the first that does not fit, so that the small overtake nobody."""
        group: list[_Waiting[T, R]] = []
        size = 0
        while self._queue and (not group or size + self._queue.peek().size <= self._max_size):
            one = self._queue.take_next()
            group.append(one)
            size += one.size
            self._owned[one.owner] -= one.size
            if not self._owned[one.owner]:
                del self._owned[one.owner]
        self._waiting -= size
        return group

    def _finish(self) -> None:
        self._running -= 1
        self._start()

    async def _run(self, group: list[_Waiting[T, R]]) -> None:
        loop = asyncio.get_running_loop()
        items = [waiting.item for waiting in group]
        outcomes: Sequence[R | StoreError]
        try:
            outcomes = await loop.run_in_executor(self._threads, self._commit, items)
        except Exception as error:  # the stage's edge: every waiter must be answered
            log.exception("store.commit_failed requests=%d", len(group))
            outcomes = [StoreUnavailable(f"Writing failed: {type(error).__name__}.")] * len(group)
        finally:
            if (rest := self._rest(sum(waiting.size for waiting in group), len(group))) > 0:
                loop.call_later(rest, self._finish)
            else:
                self._finish()
        for waiting, outcome in zip(group, outcomes, strict=True):
            if waiting.done.done():  # the client went away
                continue
            if isinstance(outcome, StoreError):
                waiting.done.set_exception(outcome)
            else:
                waiting.done.set_result(outcome)
