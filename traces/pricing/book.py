"""The prices in force, in memory: the price map and the overrides of all projects.

A book never changes; a new one takes its place. Nothing that prices a span asks the database: a
thread looks for news every `PRICES_REFRESH_SECONDS`.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from traces.pricing import names, overrides
from traces.pricing.overrides import Override
from traces.pricing.price_map import PriceMap
from traces.pricing.rates import Price

log = logging.getLogger(__name__)

_MOST_REMEMBERED = 20_000
_FIRST_LOAD_SECONDS = 5.0
_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Quote:
    """What prices a model's calls that start within [from_ns, until_ns); None: nothing does."""

    price: Price | None
    version: str
    from_ns: int = 0
    until_ns: int = 2**63


_NO_QUOTE = Quote(None, "")


@dataclass(frozen=True, slots=True)
class Book:
    """`prefers_computed`: projects in which our own figure counts before the reported one."""

    price_map: PriceMap
    overrides: Mapping[UUID, tuple[Override, ...]] = field(default_factory=dict)
    prefers_computed: frozenset[UUID] = frozenset()
    _quotes: dict[tuple[UUID | None, str, str], Quote] = field(default_factory=dict)

    def quote(self, project_id: UUID | None, model: str, provider: str, at_ns: int) -> Quote:
        """Remembered by project where it has overrides, else for all projects together."""
        if len(model) > names.LONGEST or len(provider) > names.LONGEST:
            return _NO_QUOTE
        own = self.overrides.get(project_id) if project_id is not None else None
        key = (project_id if own else None, model, provider)
        quote = self._quotes.get(key)
        if quote is None or not quote.from_ns <= at_ns < quote.until_ns:
            quote = self._find(own or (), model, provider, at_ns)
            if len(self._quotes) >= _MOST_REMEMBERED:
                self._quotes.clear()
            self._quotes[key] = quote
        return quote

    def _find(self, own: Sequence[Override], model: str, provider: str, at_ns: int) -> Quote:
        found = overrides.matching(own, model, provider)
        chosen, since, until = overrides.valid(found, at_ns)
        if chosen is not None:
            return Quote(chosen.price, chosen.version, since, until)
        price = self.price_map.find(model, provider)
        return Quote(price, self.price_map.version if price else "", since, until)


class _State:
    """Of this process. `stop` ends the thread that looks for news."""

    def __init__(self) -> None:
        self.book: Book | None = None
        self.lock = threading.Lock()
        self.stop = threading.Event()


_state = _State()


def current() -> Book:
    """The book in force. The first call of a process waits for it, for a few seconds at most."""
    return _state.book or _first()


def load() -> None:
    """Reads the prices now, so that the first span need not wait."""
    current()


def reload() -> None:
    """Reads them from the database in this thread. Raises DatabaseError."""
    from traces.pricing import stored  # models need Django's apps, which this module must not

    old = _state.book
    new = stored.book(old)
    if new is not old:
        _state.book = new
        if old is not None:
            log.info("prices.changed version=%s", new.price_map.version)


def forget() -> None:
    """Back to a process that has read nothing yet."""
    global _state
    _state.stop.set()
    _state = _State()


def _first() -> Book:
    state = _state
    with state.lock:
        if state.book is None:
            seconds = settings.PRICES_REFRESH_SECONDS
            if seconds > 0:
                has_read = threading.Event()
                work = (state, seconds, has_read)
                threading.Thread(target=_keep_up, args=work, name="prices", daemon=True).start()
                has_read.wait(_FIRST_LOAD_SECONDS)
            if state.book is None:
                from traces.pricing import bundled

                state.book = Book(bundled.price_map())
        return state.book


def _keep_up(state: _State, seconds: float, has_read: threading.Event) -> None:
    """A query every so often, in a thread of its own: no span ever waits for it or asks itself."""
    while not state.stop.is_set():
        wait = seconds if _read() else min(seconds, _RETRY_SECONDS)
        has_read.set()
        state.stop.wait(wait)


def _read() -> bool:
    try:
        reload()
    except (DatabaseError, InterfaceError) as error:
        log.warning("prices.not_read reason=%s", error)
        return False
    finally:
        connection.close()
    return True


# A child process has no threads but its own: it begins anew.
os.register_at_fork(after_in_child=forget)
