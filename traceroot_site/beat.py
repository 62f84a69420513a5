"""Celery beat's scheduler, without what it does between one task and the next: on an idle
installation that was most of what any process did.
"""

from __future__ import annotations

import time
from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

LOOK_EVERY_SECONDS = 5.0
"""What an administrator changes is in effect after so long."""
_LATE_SECONDS = 0.002


class Scheduler(DatabaseScheduler):
    """Celery wakes ten milliseconds before a task is due and turns in a loop until it is;
    django-celery-beat asks the database in each turn whether a task was changed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._looked_at = float("-inf")
        super().__init__(*args, **kwargs)

    def adjust(self, n: float | None, drift: float = _LATE_SECONDS) -> float | None:
        """Seconds until the next task, and a little more."""
        adjusted: float | None = super().adjust(n, drift)
        return adjusted

    def schedule_changed(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY_SECONDS:
            return False
        self._looked_at = now
        return bool(super().schedule_changed())
