"""Writes spans: concurrent requests share one INSERT, and each returns when its rows are stored.

Group commit belongs to one event loop. `write` promises on return that the engine has every row;
on StoreUnavailable nothing is promised and the sender must send again (a re-send replaces, never
doubles).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from traces.spans import Span
from traces.store import client, rows
from traces.store.errors import Overloaded, StoreError, StoreRejected, StoreUnavailable

log = logging.getLogger(__name__)

# Partitions are (retention, week), up to 28 weeks; the engine refuses an INSERT over 100 of them.
_MAX_RETENTIONS = 3


def store(spans: Sequence[Span], retention_days: Sequence[int]) -> None:
    """One INSERT, checked: the engine must say it wrote at least as many rows as were sent.

    (It counts rows of the materialised view too, so that more is normal and fewer never is.)
    """
    columns, names, types = rows.to_columns(spans, retention_days)
    written = client.insert("spans", columns, names, types)
    if written < len(spans):
        raise StoreUnavailable(f"The trace store wrote {written} of {len(spans)} rows.")


@dataclass(slots=True)
class _Waiting:
    spans: Sequence[Span]
    retention_days: int
    done: asyncio.Future[None] = field(repr=False)


class GroupCommitWriter:
    """Collects what arrives while an INSERT runs and writes it with the next.

    `inserts` INSERTs run at once, each with at most `max_rows` rows; more than `max_waiting_rows`
    waiting rows are refused with Overloaded.
    """

    def __init__(
        self, *, inserts: int = 2, max_rows: int = 10_000, max_waiting_rows: int = 100_000
    ) -> None:
        self._queue: deque[_Waiting] = deque()
        self._max_rows = max_rows
        self._max_waiting_rows = max_waiting_rows
        self._waiting_rows = 0
        self._running = 0
        self._inserts = inserts
        self._threads = ThreadPoolExecutor(inserts, thread_name_prefix="store-writer")
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, spans: Sequence[Span], *, retention_days: int = 0) -> None:
        """Return once all `spans` are stored.

        Raises Overloaded, StoreUnavailable or StoreRejected.
        """
        if not spans:
            return
        if self._waiting_rows and self._waiting_rows + len(spans) > self._max_waiting_rows:
            raise Overloaded("More spans wait to be written than this process holds.")
        waiting = _Waiting(spans, retention_days, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._waiting_rows += len(spans)
        self._start()
        await waiting.done

    def _start(self) -> None:
        while self._queue and self._running < self._inserts:
            batch = self._take()
            self._running += 1
            task = asyncio.get_running_loop().create_task(self._commit(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _take(self) -> list[_Waiting]:
        batch = [self._queue.popleft()]
        count = len(batch[0].spans)
        retentions = {batch[0].retention_days}
        while self._queue and count + len(self._queue[0].spans) <= self._max_rows:
            retentions.add(self._queue[0].retention_days)
            if len(retentions) > _MAX_RETENTIONS:
                break
            batch.append(self._queue.popleft())
            count += len(batch[-1].spans)
        self._waiting_rows -= count
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        try:
            await self._insert(batch)
        finally:
            self._running -= 1
            self._start()

    async def _insert(self, batch: list[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._threads, _store_all, batch)
        except StoreRejected as error:
            await self._insert_apart(batch, error)
        except StoreError as error:
            _settle(batch, error)
        except Exception as error:
            # What cannot be stored must not be acknowledged, whatever the reason.
            log.exception("store.insert_failed requests=%d", len(batch))
            reason = StoreRejected(f"These spans cannot be stored: {type(error).__name__}.")
            await self._insert_apart(batch, reason)
        else:
            _settle(batch, None)

    async def _insert_apart(self, batch: list[_Waiting], error: StoreRejected) -> None:
        """One request's rows must not fail the others': halve until it stands alone."""
        if len(batch) == 1:
            _settle(batch, error)
            return
        log.warning("store.shared_insert_rejected requests=%d reason=%s", len(batch), error)
        middle = len(batch) // 2
        await self._insert(batch[:middle])
        await self._insert(batch[middle:])


def _store_all(batch: list[_Waiting]) -> None:
    store(
        [span for waiting in batch for span in waiting.spans],
        [waiting.retention_days for waiting in batch for _ in waiting.spans],
    )


def _settle(batch: list[_Waiting], error: StoreError | None) -> None:
    for waiting in batch:
        if waiting.done.done():  # the client went away
            continue
        if error is None:
            waiting.done.set_result(None)
        else:
            waiting.done.set_exception(error)
