"""Debugging sessions: start one, stop one, work off those that wait.

A session is a row that workers claim (`claims`); what it does is in `investigation`.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Project, User
from debugging import claims, investigation, wake
from debugging.facts import NoSuchTrace
from debugging.models import DebuggingSession
from traces.store.reader import SpanReader

__all__ = ["NoSuchTrace", "cancel", "run_pending", "start"]

Clock = Callable[[], dt.datetime]


def start(project: Project, trace_id: bytes, user: User | None) -> DebuggingSession:
    """Queues a session of the trace; one that waits or runs already is returned instead.
    Raises NoSuchTrace and the store's errors."""
    summary = SpanReader(project.pk).trace(trace_id)
    if summary is None:
        raise NoSuchTrace("This project has no such trace.")
    running = _active(project, trace_id)
    if running is not None:
        return running
    try:
        with transaction.atomic():
            session = DebuggingSession.objects.create(
                project=project,
                trace_id=trace_id.hex(),
                trace_name=claims.plain(summary.name, 200),
                started_by=user,
            )
            claims.tell(session)
            wake.worker()
    except IntegrityError:
        running = _active(project, trace_id)  # somebody was faster
        if running is None:
            raise
        return running
    return session


def cancel(session: DebuggingSession, user: User | None, now: dt.datetime) -> bool:
    """Stops a session that waits or runs; False when it had ended. It is stopped at once for
    everyone; its worker notices within seconds, stops git and drops what it had."""
    with transaction.atomic():
        active = DebuggingSession.objects.filter(pk=session.pk).active()
        stopped = active.let_go(DebuggingSession.State.CANCELLED, stopped_by=user, finished_at=now)
        if stopped:
            claims.end_steps(session)
            claims.tell(session)
    return bool(stopped)


def run_pending(worker: str, budget_seconds: float, clock: Clock = timezone.now) -> int:
    """Works off waiting sessions until none is left or the budget is spent (one that was begun is
    finished); returns how many were worked on."""
    end = time.monotonic() + budget_seconds
    worked = 0
    while time.monotonic() < end:
        claim = claims.take(worker, clock)
        if claim is None:
            break
        investigation.run(claim)
        worked += 1
    return worked


def _active(project: Project, trace_id: bytes) -> DebuggingSession | None:
    return DebuggingSession.objects.for_project(project).of_trace(trace_id.hex()).active().first()
