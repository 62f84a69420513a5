"""One line for what is said again and again: a schedule that runs every second says every second
that the trace store is away.

A warning of the same logger with the same words is let through once in a while, then with the
number of those between. Once the logger has said that something went well, the next failure is news
again. Errors, and whatever has a traceback, always are let through.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

WINDOW_SECONDS = 60.0
_MAX_REMEMBERED = 100  # of one logger


class RepeatedLines(logging.Filter):
    """Belongs on a handler, which sees the lines of all loggers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        # logger -> words -> since when, how many kept back
        self._said: dict[str, dict[str, tuple[float, int]]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno == logging.INFO:
            self._said.pop(record.name, None)
        if record.levelno != logging.WARNING or record.exc_info:
            return True
        text = record.getMessage()
        kept_back = self._kept_back(record.name, text)
        if kept_back:
            record.msg = f"{text} (and {kept_back} times before)"
            record.args = ()
        return kept_back is not None

    def _kept_back(self, name: str, text: str) -> int | None:
        """How many like it were kept back since the last one; None to keep this one back too."""
        now = self._clock()
        with self._lock:
            said = self._said.setdefault(name, {})
            since, count = said.get(text, (None, 0))
            if since is not None and now - since < WINDOW_SECONDS:
                said[text] = (since, count + 1)
                return None
            if len(said) >= _MAX_REMEMBERED:
                said.clear()
            said[text] = (now, 0)
            return count
