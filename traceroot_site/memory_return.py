"""Gives memory back to the system once heavy work is over: a large page, an export, a judge's day.

Two things keep it otherwise. Objects that refer to each other wait for a full collection, which
Python puts off for as long as a process holds much that stays, as ours do. And what is freed stays
in the C library's heaps (`traces.otlp.memory`). It bounds what stays, not what the work takes.
"""

from __future__ import annotations

import gc
import logging
import os
import threading
from pathlib import Path

from traces.otlp import memory

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
GROWTH_BYTES = 32 * 1024**2
"""Since the last time; less is not worth the pause of a full collection."""
_STEADY_BYTES = 8 * 1024**2
_STATM = Path("/proc/self/statm")


class MemoryReturn:
    """Looks now and then from a thread of its own; does nothing where /proc is not."""

    def __init__(self, *, growth_bytes: int = GROWTH_BYTES) -> None:
        self._growth_bytes = growth_bytes
        self._floor = 0
        self._before = 0
        self._stop = threading.Event()

    def start(self) -> None:
        """Once everything is loaded: what is there now stays, and is not looked at again."""
        memory.collect_seldom()
        self._floor = self._before = resident_bytes()
        if self._floor:
            threading.Thread(target=self._run, name="memory-return", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def look(self) -> bool:
        """True when it collected: there was growth, and it has come to rest."""
        now = resident_bytes()
        is_steady = abs(now - self._before) < _STEADY_BYTES
        self._before = now
        self._floor = min(self._floor, now)
        if not is_steady or now - self._floor < self._growth_bytes:
            return False
        gc.collect()
        memory.trim()
        self._floor = self._before = resident_bytes()
        log.debug("memory.returned from=%d to=%d", now, self._floor)
        return True

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            self.look()


def resident_bytes() -> int:
    """0 where the system does not say."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
