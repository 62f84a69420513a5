"""Rules and limits in force, in memory, of all projects.

A book never changes; a new one takes its place. Nothing that receives spans asks the database: a
thread looks for news every `INGEST_RULES_REFRESH_SECONDS`.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from traces.admission.buckets import Buckets
from traces.admission.rates import Limit, Rates
from traces.admission.rules import Rule
from traces.store.errors import StoreError

log = logging.getLogger(__name__)

_FIRST_LOAD_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Book:
    rules: Mapping[UUID, Sequence[Rule]] = field(default_factory=dict)
    limits: Mapping[UUID, Limit] = field(default_factory=dict)

    def limit(self, project_id: UUID) -> Limit:
        own = self.limits.get(project_id)
        return own if own is not None else default_limit()


class _State:
    """Of this process. `stop` ends the thread that looks for news."""

    def __init__(self) -> None:
        self.book: Book | None = None
        self.rates = Rates(Buckets(settings.DATA_DIR / "run" / "rates"))
        self.lock = threading.Lock()
        self.stop = threading.Event()


_state = _State()


def default_limit() -> Limit:
    """Of projects that have none of their own."""
    return Limit(settings.INGEST_SPANS_PER_SECOND, settings.INGEST_BYTES_PER_DAY)


def rules(project_id: UUID) -> Sequence[Rule]:
    return _current().rules.get(project_id, ())


def take(project_id: UUID, spans: int, size: int) -> None:
    """Charge a request to its project. Raises OverLimit."""
    limit = _current().limit(project_id)
    _state.rates.take(project_id, limit, spans, size, time.time())


def load() -> None:
    """Reads them now, so that the first request need not wait."""
    _current()


def reload() -> None:
    """Reads them from the database in this thread. Raises DatabaseError."""
    from traces.admission import stored  # models need Django's apps, which this module must not

    new = stored.book()
    if new != _state.book:
        _state.book = new


def forget() -> None:
    """Back to a process that has read nothing yet."""
    global _state
    _state.stop.set()
    _state = _State()


def _current() -> Book:
    return _state.book or _first()


def _first() -> Book:
    state = _state
    with state.lock:
        if state.book is None:
            seconds = settings.INGEST_RULES_REFRESH_SECONDS
            if seconds > 0:
                has_read = threading.Event()
                work = (state, seconds, has_read)
                threading.Thread(target=_keep_up, args=work, name="rules", daemon=True).start()
                has_read.wait(_FIRST_LOAD_SECONDS)
            if state.book is None:
                state.book = Book()  # until the database answers everything is let in
        return state.book


def _keep_up(state: _State, seconds: float, has_read: threading.Event) -> None:
    while not state.stop.is_set():
        _read(state)
        has_read.set()
        state.stop.wait(seconds)


def _read(state: _State) -> None:
    try:
        reload()
        note_used(state.book or Book(), state.rates)
    except (DatabaseError, InterfaceError, StoreError) as error:
        log.warning("rules.not_read reason=%s", error)
    finally:
        connection.close()


def note_used(book: Book, rates: Rates) -> None:
    """What other processes, and this one before it was started anew, took today. Raises StoreError.

    A default for all projects is counted by each process for itself.
    """
    from traces.store.system import SystemReader

    limited = [project for project, limit in book.limits.items() if limit.bytes_per_day]
    if limited:
        now = time.time()
        for project_id, size in SystemReader().bytes_since(limited, _midnight_ns(now)):
            rates.note_used(project_id, size, now)


def _midnight_ns(now: float) -> int:
    return int(now // 86_400) * 86_400 * 1_000_000_000


# A child process has no threads but its own: it begins anew.
os.register_at_fork(after_in_child=forget)
