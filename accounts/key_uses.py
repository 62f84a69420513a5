"""When a key was last used, written behind the request and at most once a minute per key.

A note that is lost because the process ends, or because the database is down, costs nothing but a
`last_used_at` that is a minute older than the truth.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime

from django.db import connection

from accounts.models import ApiKey

INTERVAL_SECONDS = 60.0

log = logging.getLogger(__name__)


class KeyUses:
    """Collects uses; a thread that lives only while there are some writes them."""

    def __init__(
        self,
        *,
        interval_seconds: float = INTERVAL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._next_write: dict[uuid.UUID, float] = {}
        self._waiting: dict[uuid.UUID, datetime] = {}
        self._writer: threading.Thread | None = None
        self._lock = threading.Lock()

    def note(self, key_id: uuid.UUID, used_at: datetime) -> None:
        """Never blocks on the database."""
        now = self._clock()
        if self._next_write.get(key_id, now) > now:
            return
        with self._lock:
            self._next_write[key_id] = now + self._interval_seconds
            self._waiting[key_id] = used_at
            # A forked child inherits the attribute but not the thread.
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(
                    target=self._write_waiting, name="api-key-uses", daemon=True
                )
                self._writer.start()

    def join(self, timeout_seconds: float) -> None:
        """Waits until what was noted is written."""
        writer = self._writer
        if writer is not None:
            writer.join(timeout_seconds)

    def _write_waiting(self) -> None:
        try:
            while True:
                with self._lock:
                    if not self._waiting:
                        self._writer = None
                        return
                    key_id, used_at = self._waiting.popitem()
                ApiKey.objects.filter(pk=key_id).update(last_used_at=used_at)
        except Exception:
            # The edge of a thread of its own: whatever it was, the next note starts a new one.
            log.warning("api_key_use.not_written", exc_info=True)
            with self._lock:
                self._writer = None
        finally:
            connection.close()
