"""Whether the trace engine is worth asking, so that nobody waits for one that is away.

After a failure the engine counts as away until a ping is answered, which a thread of its own sends
again and again; no request ever waits for a ping.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from traces.store import client
from traces.store.errors import StoreError

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5
_PING_SECONDS = 1.0


def _ping() -> bool:
    return client.is_reachable(seconds=_PING_SECONDS)


class Breaker:
    """Closed (ask the engine) until `failed`, then open until `probe` says that it answers."""

    def __init__(
        self, probe: Callable[[], bool] = _ping, *, pause_seconds: float = _PAUSE_SECONDS
    ) -> None:
        self._probe = probe
        self._pause_seconds = pause_seconds
        self._lock = threading.Lock()
        self._is_open = False

    @property
    def is_open(self) -> bool:
        return self._is_open

    def failed(self, error: StoreError) -> None:
        with self._lock:
            if self._is_open:
                return
            self._is_open = True
        log.warning("engine.away reason=%s", error)
        threading.Thread(target=self._watch, name="engine-probe", daemon=True).start()

    def _watch(self) -> None:
        wait = threading.Event().wait
        while True:
            # First a pause: an engine without capacity answers pings all the same.
            wait(self._pause_seconds)
            if self._probe():
                break
        self._is_open = False
        log.info("engine.back")
