"""Celery's worker (threads) and beat inside the web process, for the shape without Redis.

`WorkController` and `beat.Service` rather than Celery's command line: those install signal
handlers, which belong to the web server here.
"""

from __future__ import annotations

import logging
import threading
import time

from celery.beat import Service
from celery.worker import state
from django.conf import settings
from django.db import connections

from traceroot_site.celery import app

log = logging.getLogger(__name__)
_STOP_SECONDS = 1.5


class EmbeddedWorker:
    def __init__(self) -> None:
        app.set_default()
        app.finalize(auto=True)
        self._worker = app.WorkController(
            app=app,
            pool="threads",
            concurrency=settings.WORKER_THREADS,
            hostname="embedded@localhost",
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )
        self._beat = Service(app, max_interval=1, scheduler_cls=app.conf.beat_scheduler)
        self._threads = [
            threading.Thread(target=self._run_worker, name="celery-worker", daemon=True),
            threading.Thread(target=self._run_beat, name="celery-beat", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask both to stop and wait a little; a task that runs on is found again by its lease."""
        deadline = time.monotonic() + _STOP_SECONDS
        self._beat.stop(wait=False)
        state.should_stop = 0
        threading.Thread(target=self._worker.stop, name="celery-stop", daemon=True).start()
        for thread in self._threads:
            thread.join(max(0.05, deadline - time.monotonic()))

    def _run_worker(self) -> None:
        try:
            self._worker.start()
        except SystemExit:
            log.info("worker.stopped")

    def _run_beat(self) -> None:
        keep_connections()
        self._beat.start(embedded_process=False)
        connections.close_all()


def keep_connections() -> None:
    """Of this thread. The scheduler looks each second whether its table changed, and would open
    SQLite for that each time. PostgreSQL's connections are kept by the pool, beside which Django
    refuses to keep any other.
    """
    for one in connections.all():
        if one.vendor == "sqlite":
            one.settings_dict = {**one.settings_dict, "CONN_MAX_AGE": None}
