"""How much one request may be, and all of them together while they wait."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass

from django.conf import settings

from traces.store.errors import Overloaded

OWNER_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    compressed_bytes: int = 16 * 1024**2
    """Of a body as it is sent."""
    body_bytes: int = 64 * 1024**2
    """Of a body with its encoding undone."""
    spans_per_request: int = 50_000
    waiting_bytes: int = 192 * 1024**2
    """Of all requests that this process holds at once."""
    body_seconds: float = 30.0
    """How long a sender may take for its body."""


def limits_from_settings() -> Limits:
    return Limits(
        compressed_bytes=settings.INGEST_MAX_COMPRESSED_BYTES,
        body_bytes=settings.INGEST_MAX_BODY_BYTES,
        spans_per_request=settings.INGEST_MAX_SPANS_PER_REQUEST,
        waiting_bytes=settings.INGEST_MAX_WAITING_BYTES,
        body_seconds=float(settings.INGEST_BODY_SECONDS),
    )


class Waiting:
    """Counts the bytes that all requests of a process hold, in every thread of it.

    Any one owner, mostly a project, may hold half of them, so that there is room for the others;
    a single request of its may hold more while it is the owner's only one.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._owned: dict[Hashable, int] = {}
        self._lock = threading.Lock()

    def hold(self, owner: Hashable = None) -> Hold:
        """None: nobody in particular, without a share."""
        return Hold(self, owner)

    def take(self, size: int, owner: Hashable = None, held: int = 0) -> None:
        """`held` is what the same request holds already."""
        with self._lock:
            if self._bytes + size > self._max_bytes:
                raise Overloaded("The receiver holds as much as it may.")
            if owner is not None:
                owned = self._owned.get(owner, 0)
                if owned > held and owned + size > self._max_bytes * OWNER_SHARE:
                    raise Overloaded("The receiver holds as much of this project as it may.")
                self._owned[owner] = owned + size
            self._bytes += size

    def give_back(self, size: int, owner: Hashable = None) -> None:
        with self._lock:
            self._bytes -= size
            if owner is not None:
                left = self._owned.get(owner, 0) - size
                if left > 0:
                    self._owned[owner] = left
                else:
                    self._owned.pop(owner, None)


class Hold:
    """What one request holds. `take` raises Overloaded; `release` gives all of it back."""

    def __init__(self, waiting: Waiting, owner: Hashable = None) -> None:
        self._waiting = waiting
        self.owner = owner
        """To be set before anything is taken."""
        self.bytes = 0

    def take(self, size: int) -> None:
        self._waiting.take(size, self.owner, self.bytes)
        self.bytes += size

    def release(self) -> None:
        self._waiting.give_back(self.bytes, self.owner)
        self.bytes = 0
