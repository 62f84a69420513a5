"""One worker's hold on a session: a lease that it renews, the steps it writes, the end it notes.

Every write is fenced: it counts only while the row still carries this claim. A session that was
stopped by a person, or taken over after the lease ran out, takes nothing more from here.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from debugging.models import DebuggingSession, Step
from debugging.models.session import DebuggingSessionQuerySet
from traces import live

log = logging.getLogger(__name__)

Clock = Callable[[], dt.datetime]
LEASE = dt.timedelta(seconds=60)
RENEW_SECONDS = 15.0
LOOK_SECONDS = 1.0
MAX_ATTEMPTS = 3
_TITLE_CHARACTERS = 300
_DETAIL_CHARACTERS = 4_000
_CLAIMED_FIELDS = ("state", "lease_owner", "lease_expires_at", "attempts", "started_at")
_State = DebuggingSession.State


class ClaimLost(Exception):
    """The session was stopped, or another worker has it: nothing more is to be done here."""


class Claim:
    def __init__(self, session: DebuggingSession, clock: Clock = timezone.now) -> None:
        self.session = session
        self.clock = clock

    @contextmanager
    def step(self, kind: str, title: str) -> Iterator[Step]:
        """Shows the step as running; what the body sets on it is shown when it ends."""
        begun = self.clock()
        step = Step(session=self.session, project_id=self.session.project_id, kind=kind, at=begun)
        step.title = plain(title, _TITLE_CHARACTERS)
        self._write(step)
        try:
            yield step
        except ClaimLost:
            raise
        except Exception:
            step.outcome = Step.Outcome.FAILED
            self._end(step, begun)
            raise
        if step.outcome == Step.Outcome.RUNNING:
            step.outcome = Step.Outcome.DONE
        self._end(step, begun)

    def finish(
        self,
        state: DebuggingSession.State,
        *,
        summary: str = "",
        error: str = "",
        commit: str = "",
        confidence: float | None = None,
        report: str = "",
    ) -> None:
        """The session's end, unless it is not ours any more (then ClaimLost)."""
        with transaction.atomic():
            ended = self._mine().let_go(
                state,
                summary=plain(summary, _DETAIL_CHARACTERS),
                error=plain(error, _DETAIL_CHARACTERS),
                commit=commit[:64],
                confidence=confidence,
                report=report,
                finished_at=self.clock(),
            )
            if not ended:
                raise ClaimLost
            tell(self.session)

    def put_off(self, pause: dt.timedelta, reason: str) -> None:
        """Leave it to a later attempt; the attempts so far count."""
        with transaction.atomic():
            self._hold(
                lease_expires_at=self.clock() + pause, error=plain(reason, _DETAIL_CHARACTERS)
            )
            tell(self.session)

    def stop_watch(self, every_seconds: float = LOOK_SECONDS) -> Callable[[], None]:
        """For work that writes no step for long: what is returned raises ClaimLost soon after the
        session was stopped, however often it is called."""
        next_look = 0.0

        def look() -> None:
            nonlocal next_look
            if time.monotonic() < next_look:
                return
            next_look = time.monotonic() + every_seconds
            try:
                is_mine = self._mine().exists()
            except DatabaseError as error:  # no reason to drop the work: the next look will tell
                log.warning("session.not_seen session=%s reason=%s", self.session.pk, error)
                return
            if not is_mine:
                raise ClaimLost

        return look

    @contextmanager
    def renewed(self, every_seconds: float = RENEW_SECONDS) -> Iterator[None]:
        """Keeps the lease alive from a thread of its own while the body runs."""
        done = threading.Event()
        thread = threading.Thread(
            target=self._renew, args=(done, every_seconds), name="debugging-lease", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(5)

    def _renew(self, done: threading.Event, every_seconds: float) -> None:
        try:
            while not done.wait(every_seconds):
                try:
                    self._hold(lease_expires_at=self.clock() + LEASE)
                except ClaimLost:
                    return
                except DatabaseError as error:  # the next round may still be in time
                    log.warning("lease.not_renewed session=%s reason=%s", self.session.pk, error)
        finally:
            connection.close()

    def _write(self, step: Step) -> None:
        with transaction.atomic():
            self._hold(lease_expires_at=self.clock() + LEASE)
            last = Step.objects.filter(session=self.session).aggregate(number=models.Max("number"))
            step.number = (last["number"] or 0) + 1
            step.save(force_insert=True)
            tell(self.session)

    def _end(self, step: Step, begun: dt.datetime) -> None:
        step.duration_ms = max(0, round((self.clock() - begun).total_seconds() * 1000))
        step.title = plain(step.title, _TITLE_CHARACTERS)
        step.detail = plain(step.detail, _DETAIL_CHARACTERS)
        with transaction.atomic():
            self._hold(lease_expires_at=self.clock() + LEASE)
            step.save(update_fields=["title", "detail", "outcome", "duration_ms"])
            tell(self.session)

    def _mine(self) -> DebuggingSessionQuerySet:
        held = DebuggingSession.objects.held_by(self.session.lease_owner)
        return held.filter(pk=self.session.pk, attempts=self.session.attempts)

    def _hold(self, **values: object) -> None:
        if not self._mine().update(**values):
            raise ClaimLost


def take(worker: str, clock: Clock = timezone.now) -> Claim | None:
    """The session that waits longest, ours now; None when none waits."""
    now = clock()
    waiting = DebuggingSession.objects.claimable(now).order_by("created_at", "id")
    for session in waiting.select_related("project")[:10]:
        same = DebuggingSession.objects.claimable(now).filter(
            pk=session.pk, state=session.state, attempts=session.attempts
        )
        if session.attempts >= MAX_ATTEMPTS:
            _give_up(session, same, now)
            continue
        is_again = session.state == _State.RUNNING
        if not same.take(worker, now + LEASE, started_at=session.started_at or now):
            continue
        session.refresh_from_db(fields=_CLAIMED_FIELDS)
        claim = Claim(session, clock)
        if is_again:
            _note_new_attempt(claim)
        return claim
    return None


def tell(session: DebuggingSession) -> None:
    """A notice to everyone who watches the project, once the row is visible to them."""
    notice = {"type": "debugging", "session_id": str(session.pk), "trace_id": session.trace_id}
    project_id = session.project_id
    transaction.on_commit(lambda: live.notify(project_id, notice), robust=True)


def end_steps(session: DebuggingSession) -> None:
    """What a dead or stopped attempt left as running did not end by itself."""
    running = Step.objects.filter(session=session, outcome=Step.Outcome.RUNNING)
    running.update(outcome=Step.Outcome.STOPPED)


def plain(text: str, limit: int) -> str:
    """Storable everywhere: no null characters, no lone surrogates, at most `limit` characters."""
    text = text.encode("utf-8", "replace").decode().replace("\0", "�")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _note_new_attempt(claim: Claim) -> None:
    end_steps(claim.session)
    reason = claim.session.error or "The worker that had it stopped answering."
    with claim.step("restart", "Started again") as step:
        step.detail = reason
        step.outcome = Step.Outcome.WARN


def _give_up(session: DebuggingSession, same: DebuggingSessionQuerySet, now: dt.datetime) -> None:
    reason = session.error or "Each time the worker stopped in the middle of it."
    with transaction.atomic():
        given_up = same.let_go(
            _State.FAILED,
            error=f"Given up after {session.attempts} attempts. {reason}",
            finished_at=now,
        )
        if given_up:
            end_steps(session)
            tell(session)
