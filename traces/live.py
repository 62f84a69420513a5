"""What is new in a project that somebody watches, as small notices.

Two sources meet in a watcher: a cursor over the engine's clock (spans stored, traces settled),
polled only while somebody watches, and `notify`, by which other stages say that something of theirs
changed.
Notices carry ids only; the browser fetches what it may see.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync, sync_to_async
from channels.layers import get_channel_layer
from django.http import HttpRequest

from traces.store.errors import StoreError
from traces.store.reader import Change, SpanReader
from traces.store.system import SystemReader

log = logging.getLogger(__name__)

POLL_SECONDS = 0.4
_SLOW_POLL_SECONDS = 2.0
# A row's stored_at is taken when its INSERT begins, so it may appear behind the cursor.
_OVERLAP = timedelta(seconds=5)

Notice = dict[str, Any]
Listener = Callable[[Notice], None]


def group(project_id: UUID) -> str:
    return f"project-{project_id}"


def session_group(session_key: str) -> str:
    """The sockets of one browser session. The key opens the account, so only its hash is a name."""
    return f"session-{hashlib.sha256(session_key.encode()).hexdigest()}"


def notify(project_id: UUID, notice: Notice) -> None:
    """Tell every watcher of the project, in any process. Callable from any thread without a loop.

    Losing a notice costs freshness, never data, so a layer that is down is logged and not raised.
    """
    notify_all([(project_id, notice)])


def notify_all(notices: Sequence[tuple[UUID, Notice]]) -> None:
    """As `notify`, of many at once, in their order."""
    _send([(group(project), {"type": "notice", "notice": notice}) for project, notice in notices])


def signed_out(*, request: HttpRequest | None, **_: Any) -> None:
    """Django says that a session ends: close its sockets, in any process.

    When the layer is down, the sockets find out by themselves at their next look.
    """
    session_key = request.session.session_key if request is not None else None
    if session_key:
        _send([(session_group(session_key), {"type": "session_ended"})])


def _send(events: Sequence[tuple[str, dict[str, Any]]]) -> None:
    layer = get_channel_layer()

    async def send() -> None:
        for to, event in events:
            await layer.group_send(to, event)

    try:
        async_to_sync(send)()
    except (OSError, RuntimeError) as error:
        log.warning("live.send_failed events=%d reason=%s", len(events), error)


@dataclass(slots=True)
class _Watch:
    cursor: _Cursor
    listeners: set[Listener] = field(default_factory=set)
    task: asyncio.Task[None] | None = None


_watches: dict[UUID, _Watch] = {}


def join(project_id: UUID, listener: Listener) -> None:
    """Call `listener` with each notice from now on. On the event loop only."""
    watch = _watches.get(project_id)
    if watch is None:
        watch = _watches[project_id] = _Watch(_Cursor(project_id))
    watch.listeners.add(listener)
    # What came between the rendering of this listener's page and now was said to others only.
    watch.cursor.repeat = True
    if watch.task is None or watch.task.done():
        watch.task = asyncio.get_running_loop().create_task(_poll(project_id, watch))


def leave(project_id: UUID, listener: Listener) -> None:
    watch = _watches.get(project_id)
    if watch is None:
        return
    watch.listeners.discard(listener)
    if not watch.listeners:
        if watch.task is not None:
            watch.task.cancel()
        del _watches[project_id]


async def _poll(project_id: UUID, watch: _Watch) -> None:
    while True:
        try:
            notices = await sync_to_async(watch.cursor.advance, thread_sensitive=False)()
            pause = POLL_SECONDS
        except StoreError as error:
            log.info("live.store_unavailable project=%s reason=%s", project_id, error)
            notices, pause = [], _SLOW_POLL_SECONDS
        except Exception:  # the stage's edge: a watcher that died would leave its pages silent
            log.exception("live.poll_failed project=%s", project_id)
            notices, pause = [], _SLOW_POLL_SECONDS
        for notice in notices:
            for listener in tuple(watch.listeners):
                listener(notice)
        await asyncio.sleep(pause)


class _Cursor:
    """Remembers what it has said, so that the overlap repeats nothing."""

    def __init__(self, project_id: UUID) -> None:
        self._reader = SpanReader(project_id)
        self._stored: datetime | None = None
        self._settled: datetime | None = None
        self._said: dict[tuple[str, bytes], datetime] = {}
        self.repeat = False
        """Say once more what lies in the overlap."""

    def advance(self) -> list[Notice]:
        if self._stored is None or self._settled is None:
            self._stored = self._settled = SystemReader().clock()
            return []
        if self.repeat:
            self.repeat = False
            self._said.clear()
        stored = self._fresh("stored", self._reader.changed_since(self._stored - _OVERLAP))
        settled = self._fresh("settled", self._reader.settled_since(self._settled - _OVERLAP))
        self._stored = max([self._stored, *(change.at for change in stored)])
        self._settled = max([self._settled, *(change.at for change in settled)])
        self._forget()
        changed = dict.fromkeys(change.trace_id for change in (*stored, *settled))
        if not changed:
            return []
        traces: list[Notice] = [
            {"type": "trace", "trace_id": trace_id.hex()} for trace_id in changed
        ]
        return [{"type": "traces", "count": len(changed)}, *traces]

    def _fresh(self, kind: str, changes: list[Change]) -> list[Change]:
        fresh = [c for c in changes if self._said.get((kind, c.trace_id)) != c.at]
        for change in fresh:
            self._said[kind, change.trace_id] = change.at
        return fresh

    def _forget(self) -> None:
        assert self._stored is not None
        assert self._settled is not None
        oldest = min(self._stored, self._settled) - 2 * _OVERLAP
        if len(self._said) > 2000:
            self._said = {key: at for key, at in self._said.items() if at >= oldest}
