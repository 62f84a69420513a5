"""Verified keys, remembered for a few seconds in this process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

_Key = TypeVar("_Key")


class KeyCache(Generic[_Key]):
    """Maps the hash of a raw key to what is known of it; None says that no such key is good.

    Bounded, so that guessed keys cannot fill the memory. Time counts from before the database was
    asked: an answer is never older than `seconds`. Safe for threads.
    """

    def __init__(
        self,
        seconds: float,
        *,
        max_entries: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._max_entries = max_entries
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, _Key | None]] = OrderedDict()
        self._drops = 0
        self._lock = threading.Lock()

    def get(self, hashed: str) -> tuple[bool, _Key | None]:
        """Whether something is remembered, and what."""
        entry = self._entries.get(hashed)
        if entry is None or entry[0] <= self._clock():
            return False, None
        return True, entry[1]

    @contextmanager
    def filling(self, hashed: str) -> Iterator[Callable[[_Key | None], None]]:
        """Ask the database inside; call what it yields with the answer.

        An answer that was on its way while a key was dropped is not remembered.
        """
        expires_at, drops = self._clock() + self._seconds, self._drops

        def fill(key: _Key | None) -> None:
            with self._lock:
                if self._drops != drops:
                    return
                self._entries[hashed] = (expires_at, key)
                self._entries.move_to_end(hashed)
                while len(self._entries) > self._max_entries:
                    self._entries.popitem(last=False)

        yield fill

    def drop(self, hashed: str) -> None:
        with self._lock:
            self._drops += 1
            self._entries.pop(hashed, None)

    def clear(self) -> None:
        with self._lock:
            self._drops += 1
            self._entries.clear()
