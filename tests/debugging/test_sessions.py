"""Sessions as a queue: one at a time for a trace, claimed by lease, taken over, stopped."""

from __future__ import annotations

import datetime as dt
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Project, User
from debugging import claims, repositories, sessions
from debugging.claims import ClaimLost
from debugging.models import DebuggingSession, Step
from tests.debugging import git_server
from tests.debugging.processes import processes_with
from tests.debugging.runs import refund_agent, store_failed_run

pytestmark = pytest.mark.django_db(transaction=True)

TRACEBACK = """Traceback (most recent call last):
  File "/srv/app/agent/refunds.py", line 6, in amount_of
    fare = booking["quote"]
KeyError: 'quote'
"""


@pytest.fixture
def session(store: object, project: Project, ben: User) -> DebuggingSession:
    """Queued by Ben for a run of Acme that failed."""
    return sessions.start(project, store_failed_run(project, TRACEBACK), ben)


def test_starting_again_while_one_waits_or_runs_returns_it(
    session: DebuggingSession, project: Project, ada: User
) -> None:
    trace_id = bytes.fromhex(session.trace_id)
    assert sessions.start(project, trace_id, ada) == session
    claims.take("worker-1")
    assert sessions.start(project, trace_id, ada) == session
    assert DebuggingSession.objects.count() == 1


def test_the_database_refuses_a_second_running_session_of_a_trace(
    session: DebuggingSession,
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        DebuggingSession.objects.create(project=session.project, trace_id=session.trace_id)


def test_after_the_end_a_trace_can_be_searched_again(
    session: DebuggingSession, project: Project, ben: User
) -> None:
    sessions.run_pending("worker-1", 30)
    again = sessions.start(project, bytes.fromhex(session.trace_id), ben)
    assert again != session
    assert again.state == "queued"


def test_a_trace_of_another_project_cannot_be_debugged(
    session: DebuggingSession, other_project: Project, mallory: User
) -> None:
    with pytest.raises(sessions.NoSuchTrace):
        sessions.start(other_project, bytes.fromhex(session.trace_id), mallory)


def test_a_session_is_claimed_by_one_worker(session: DebuggingSession) -> None:
    first = claims.take("worker-1")
    assert first is not None
    assert first.session == session
    assert claims.take("worker-2") is None


def test_a_dead_workers_session_is_taken_over_and_finished(session: DebuggingSession) -> None:
    dead = claims.take("worker-1")
    assert dead is not None
    with pytest.raises(SystemExit), dead.step("trace", "Reading the trace"):
        raise SystemExit  # what a kill leaves: a step that never ended
    DebuggingSession.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))

    assert sessions.run_pending("worker-2", 30) == 1

    session.refresh_from_db()
    assert session.state == "abstained"
    assert session.attempts == 2
    titles = [step.title for step in Step.objects.filter(session=session)]
    assert titles[:2] == ["Reading the trace", "Started again"]
    assert Step.objects.get(session=session, number=1).outcome == "stopped"


def test_a_worker_that_comes_back_too_late_writes_nothing(session: DebuggingSession) -> None:
    late = claims.take("worker-1")
    assert late is not None
    DebuggingSession.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert claims.take("worker-2") is not None
    with pytest.raises(ClaimLost):
        late.finish(DebuggingSession.State.CONCLUDED, summary="wrong")
    with pytest.raises(ClaimLost), late.step("map", "Too late"):
        pass
    session.refresh_from_db()
    assert session.state == "running"
    assert not Step.objects.filter(title="Too late").exists()


def test_a_session_that_kills_its_workers_is_given_up(session: DebuggingSession) -> None:
    for number in range(claims.MAX_ATTEMPTS):
        assert claims.take(f"worker-{number}") is not None
        DebuggingSession.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert claims.take("worker-last") is None
    session.refresh_from_db()
    assert session.state == "failed"
    assert "Given up after 3 attempts" in session.error


def test_the_lease_is_renewed_while_the_work_goes_on(
    session: DebuggingSession,
) -> None:
    claim = claims.take("worker-1")
    assert claim is not None
    soon = timezone.now() + dt.timedelta(seconds=5)
    DebuggingSession.objects.update(lease_expires_at=soon)
    deadline = time.monotonic() + 10
    with claim.renewed(every_seconds=0.05):
        while time.monotonic() < deadline:
            session.refresh_from_db()
            if session.lease_expires_at and session.lease_expires_at > soon:
                break
            time.sleep(0.02)
    assert session.lease_expires_at is not None
    assert session.lease_expires_at > soon


def test_a_waiting_session_that_is_stopped_is_never_worked_on(
    session: DebuggingSession, ben: User
) -> None:
    assert sessions.cancel(session, ben, timezone.now())
    assert sessions.run_pending("worker-1", 30) == 0
    session.refresh_from_db()
    assert session.state == "cancelled"
    assert session.stopped_by == ben


def test_a_running_session_stops_at_once_and_its_worker_lets_go(
    session: DebuggingSession, ben: User
) -> None:
    claim = claims.take("worker-1")
    assert claim is not None
    with pytest.raises(ClaimLost), claim.step("fetch", "Fetching"):
        assert sessions.cancel(session, ben, timezone.now())
    session.refresh_from_db()
    assert session.state == "cancelled"
    assert Step.objects.get(session=session).outcome == "stopped"


def test_a_session_that_ended_cannot_be_stopped(session: DebuggingSession, ben: User) -> None:
    sessions.run_pending("worker-1", 30)
    assert not sessions.cancel(session, ben, timezone.now())


def test_a_repository_that_is_gone_fails_the_session_with_a_sentence(
    store: object, project: Project, ben: User, tmp_path: Path, settings: Any
) -> None:
    settings.REPOSITORY_ROOTS = [tmp_path]
    history, _ = refund_agent(tmp_path / "agent")
    repositories.add(project, name="acme/agent", location=str(history.directory))
    history.directory.rename(tmp_path / "elsewhere")
    session = sessions.start(project, store_failed_run(project, TRACEBACK), ben)
    sessions.run_pending("worker-1", 30)
    session.refresh_from_db()
    assert session.state == "failed"
    assert "There is no directory" in session.error
    assert Step.objects.get(session=session, kind="fetch").outcome == "failed"


def test_a_store_that_is_down_puts_the_session_off(session: DebuggingSession, store: Any) -> None:
    store.stop()
    try:
        sessions.run_pending("worker-1", 1)
    finally:
        store.start()
    session.refresh_from_db()
    assert session.state == "running"
    assert session.error
    DebuggingSession.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    sessions.run_pending("worker-1", 30)
    session.refresh_from_db()
    assert session.state == "abstained"
    assert session.error == ""


def test_stopping_during_a_fetch_stops_git(
    store: object, project: Project, ben: User, tmp_path: Path, settings: Any
) -> None:
    settings.REPOSITORY_ALLOW_PRIVATE_ADDRESSES = True
    settings.REPOSITORY_CA_FILE = tmp_path / "certificates" / "ca.pem"
    history, _ = refund_agent(tmp_path / "served" / "agent")
    with git_server.running(
        history.directory.parent, "t", certificates=tmp_path / "certificates"
    ) as server:
        location = f"{server.address}/agent/.git"
        repositories.add(project, name="acme/agent", location=location, token="t")
        session = sessions.start(project, store_failed_run(project, TRACEBACK), ben)
        server.hold.set()

        def stop() -> None:
            server.reached.wait(30)
            sessions.cancel(session, ben, timezone.now())
            connection.close()

        thread = threading.Thread(target=stop)
        thread.start()
        started = time.monotonic()
        sessions.run_pending("worker-1", 30)
        thread.join()
        assert time.monotonic() - started < 20, "git went on until its own time-out"
        assert not processes_with(server.address)
    session.refresh_from_db()
    assert session.state == "cancelled"
    assert Step.objects.get(session=session, kind="fetch").outcome == "stopped"
