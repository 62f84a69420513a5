"""Threads in which no owner's work stands before another's: owners take turns, and none may have
all threads.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from traces.otlp.fair_queue import FairQueue

R = TypeVar("R")
_Work = tuple[Hashable, Future[Any], Callable[[], Any]]


class FairThreads:
    """`threads` in all, at most `share` of them with the work of one owner."""

    def __init__(self, threads: int, share: int, *, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads
        self._share = share
        self._running: Counter[Hashable] = Counter()
        self._queue = FairQueue[_Work]()
        self._ready: deque[_Work] = deque()
        self._lock = threading.Lock()

    async def run(self, owner: Hashable, work: Callable[[], R]) -> R:
        return await asyncio.wrap_future(self.submit(work, owner))

    def submit(self, work: Callable[[], R], owner: Hashable = None) -> Future[R]:
        done: Future[R] = Future()
        with self._lock:
            self._queue.put(owner, (owner, done, work))
        self._start()
        return done

    def _start(self) -> None:
        while True:
            with self._lock:
                found = self._queue.take(lambda owner, _: self._may_run(owner))
                if found is None:
                    return
                self._free -= 1
                self._running[found[0]] += 1
            # Not as arguments: the pool's frame would hold them as long as an error holds frames.
            self._ready.append(found)
            del found
            self._pool.submit(self._run)

    def _may_run(self, owner: Hashable) -> bool:
        return self._free > 0 and self._running[owner] < self._share

    def _run(self) -> None:
        owner, done, work = self._ready.popleft()
        try:
            if done.set_running_or_notify_cancel():
                try:
                    result = work()
                except BaseException as error:  # handed to whoever waits for it
                    done.set_exception(error)
                else:
                    done.set_result(result)
        finally:
            # An error keeps its frames, and with these would keep itself: a whole body.
            del done, work
            with self._lock:
                self._free += 1
                self._running[owner] -= 1
                if not self._running[owner]:
                    del self._running[owner]
            self._start()
