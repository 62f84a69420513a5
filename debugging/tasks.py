"""Wake-ups of debugging. Sessions and fetches are rows, so a lost wake-up costs seconds."""

from __future__ import annotations

import os
import socket
import threading

from celery import shared_task

from debugging import repositories, sessions

BUDGET_SECONDS = 20.0
# A slow fetch holds a thread for minutes: the rest of a process's threads stay free for other work.
_SLOTS = threading.BoundedSemaphore(2)


@shared_task(name="debugging.run_pending", time_limit=900)
def run_pending() -> None:
    if not _SLOTS.acquire(blocking=False):
        return
    try:
        worker = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
        sessions.run_pending(worker, BUDGET_SECONDS)
        repositories.fetch_requested()
    finally:
        _SLOTS.release()
