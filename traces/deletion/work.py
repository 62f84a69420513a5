"""Works deletions off: find the traces, delete them, look again, make the files anew.

Each phase ends by writing the row, each portion too: killed anywhere, the next worker goes on
there. What it finds it first puts under tombstones, so nothing of it comes back while it is
deleted.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Project
from traces.deletion import disk, erasing, holders, waiting_rows
from traces.deletion.wanted import Wanted
from traces.models import DeletedTrace, Deletion
from traces.models.deletion import DeletionQuerySet
from traces.models.retention import SHORTEST_DAYS
from traces.retention import expiry
from traces.store.errors import StoreError
from traces.store.filters import TraceFilter
from traces.store.reader import SpanReader
from traces.store.system import SystemReader

log = logging.getLogger(__name__)

PORTION = 500
_PAGE = 1_000
_LEASE = dt.timedelta(minutes=2)
_PAUSE = dt.timedelta(seconds=15)
_MOST_FAILURES = 5
_MOST_DISK_LOOKS = 20
Phase = Deletion.Phase
Kind = Deletion.Kind
Clock = Callable[[], dt.datetime]


class ClaimLost(Exception):
    """Another worker has it: nothing more is to be done here."""


class Worker:
    """One claim on one deletion. Every write is fenced by it."""

    def __init__(self, deletion: Deletion, clock: Clock) -> None:
        self.deletion = deletion
        self.clock = clock

    def save(self, **values: object) -> None:
        """Writes these fields and renews the lease. Raises ClaimLost."""
        if not self._mine().update(lease_expires_at=self.clock() + _LEASE, **values):
            raise ClaimLost
        for name, value in values.items():
            setattr(self.deletion, name, value)

    def tick(self) -> None:
        """Says that the work goes on, at most now and then."""
        left = self.deletion.lease_expires_at
        if left is None or left - self.clock() < _LEASE / 2:
            self.save()
            self.deletion.lease_expires_at = self.clock() + _LEASE

    def leave(self, state: str, **values: object) -> None:
        self._mine().let_go(state, **values)

    def _mine(self) -> DeletionQuerySet:
        held = Deletion.objects.held_by(self.deletion.lease_owner)
        return held.filter(pk=self.deletion.pk, attempts=self.deletion.attempts)


def run_due(owner: str, *, max_seconds: float, clock: Clock = timezone.now) -> int:
    """Works on what is due for at most about so long; returns how many deletions ended."""
    deadline = time.monotonic() + max_seconds
    ended = 0
    while time.monotonic() < deadline:
        worker = claim(owner, clock)
        if worker is None:
            break
        try:
            ended += _advance(worker, deadline)
        except ClaimLost:
            continue
        except StoreError as error:
            log.warning("deletion.waits deletion=%s reason=%s", worker.deletion.pk, error)
            worker.leave(Deletion.State.WAITING, due_at=clock() + _PAUSE, error=str(error)[:500])
        except Exception as error:  # the stage's edge: kept on the row, tried again, then shown
            log.exception("deletion.failed deletion=%s", worker.deletion.pk)
            _failed(worker, error)
    return ended


def claim(owner: str, clock: Clock = timezone.now) -> Worker | None:
    """The one that waits longest, ours now; None when none is due."""
    now = clock()
    for deletion in Deletion.objects.claimable(now).order_by("due_at", "id")[:10]:
        same = Deletion.objects.claimable(now).filter(pk=deletion.pk, attempts=deletion.attempts)
        if same.take(owner, now + _LEASE, started_at=deletion.started_at or now):
            deletion.refresh_from_db()
            return Worker(deletion, clock)
    return None


def _failed(worker: Worker, error: Exception) -> None:
    failures = worker.deletion.failures + 1
    is_last = failures >= _MOST_FAILURES
    worker.leave(
        Deletion.State.FAILED if is_last else Deletion.State.WAITING,
        due_at=worker.clock() + _PAUSE * failures,
        failures=failures,
        error=f"It stopped while {worker.deletion.get_phase_display().lower()}: "
        f"{type(error).__name__}. The server's log says more.",
    )


def _advance(worker: Worker, deadline: float) -> bool:
    """True when the deletion has ended; else it is left for later."""
    steps = {
        Phase.COLLECT: _collect,
        Phase.ERASE: _erase,
        Phase.CHECK: _check,
        Phase.REWRITE: _rewrite,
    }
    while worker.deletion.phase != Phase.END:
        due_at = steps[Phase(worker.deletion.phase)](worker, deadline)
        if due_at is not None:
            worker.leave(Deletion.State.WAITING, due_at=due_at, error="")
            return False
    _end(worker)
    return True


def _collect(worker: Worker, deadline: float) -> dt.datetime | None:
    """Tombstones of everything that is to go. Done again from the start when it was cut off."""
    deletion, now = worker.deletion, worker.clock()
    expires_at = now + dt.timedelta(days=settings.TOMBSTONE_DAYS)
    if deletion.kind == Kind.EXPIRED:
        expires_at = now  # late spans of a trace that grew old are welcome
    ids = iter([""]) if deletion.kind == Kind.PROJECT else _wanted_ids(deletion)
    while portion := list(islice(ids, _PAGE)):
        made = [
            DeletedTrace(
                project_id=deletion.project_id,
                trace_id=trace_id,
                deletion=deletion,
                created_at=worker.clock(),
                expires_at=expires_at,
            )
            for trace_id in portion
        ]
        DeletedTrace.objects.bulk_create(made, ignore_conflicts=True)
        worker.save(found=deletion.traces.of_traces().count())
    if deletion.kind in (Kind.SESSION, Kind.USER):
        DeletedTrace.objects.get_or_create(
            deletion=deletion,
            trace_id=deletion.fingerprint,
            defaults={
                "project_id": deletion.project_id,
                "is_person": True,
                "until_ns": round(deletion.asked_at.timestamp() * 1e9),
                "created_at": worker.clock(),
                "erased_at": worker.clock(),
                "expires_at": expires_at,
            },
        )
    worker.save(phase=Phase.ERASE)
    return None


def _wanted_ids(deletion: Deletion) -> Iterator[str]:
    asked = deletion.asked
    if deletion.kind == Kind.TRACES:
        yield from asked["trace_ids"]
    elif deletion.kind in (Kind.SESSION, Kind.USER):
        # Waiting ones first: what is stored meanwhile is found there.
        yield from sorted(one.hex() for one in waiting_rows.trace_ids_of(_person(deletion)))
        for page in erasing.trace_ids_of(_person(deletion)):
            yield from (one.hex() for one in page)
    elif deletion.kind == Kind.EXPIRED:
        yield from expiry.expired(deletion.project_id, deletion.asked_at)
    else:
        wanted = msgspec.convert(asked["filter"], TraceFilter)
        cursor = ""
        while True:
            reader = SpanReader(deletion.project_id)
            page_ = reader.traces(wanted, limit=_PAGE, cursor=cursor)
            yield from (row.hex_id for row in page_.rows)
            if not (cursor := page_.next_cursor):
                return


def _person(deletion: Deletion) -> Wanted:
    """What names the session or user of the deletion, in a trace or not."""
    asked = deletion.asked
    return Wanted(
        deletion.project_id,
        session_id=asked.get("session_id", ""),
        user_id=asked.get("user_id", ""),
    )


def _erase(worker: Worker, deadline: float) -> dt.datetime | None:
    deletion = worker.deletion
    while True:
        rows = list(deletion.traces.to_erase().filter(erased_at=None).order_by("id")[:PORTION])
        if not rows:
            break
        _take(worker, _portion(deletion, rows))
        now = worker.clock()
        with transaction.atomic():
            DeletedTrace.objects.filter(pk__in=[row.pk for row in rows]).update(erased_at=now)
            worker.save(erased=deletion.traces.of_traces().exclude(erased_at=None).count())
        if time.monotonic() > deadline:
            return now
    if deletion.kind in (Kind.SESSION, Kind.USER):
        _take(worker, _person(deletion))
    if deletion.kind == Kind.EXPIRED:  # what came meanwhile is welcome: no second look
        worker.save(phase=Phase.REWRITE)
        return worker.clock()
    worker.save(phase=Phase.CHECK)
    return worker.clock() + dt.timedelta(seconds=settings.DELETION_CHECK_SECONDS)


def _check(worker: Worker, deadline: float) -> dt.datetime | None:
    """A second look: a request that had passed the receiver's door, a verdict being written."""
    deletion = worker.deletion
    after = int(deletion.asked.get("checked", 0))
    while rows := list(deletion.traces.to_erase().filter(id__gt=after).order_by("id")[:PORTION]):
        _take(worker, _portion(deletion, rows))
        after = rows[-1].pk
        worker.save(asked={**deletion.asked, "checked": after})
        if time.monotonic() > deadline:
            return worker.clock()
    if deletion.kind in (Kind.SESSION, Kind.USER):
        _take(worker, _person(deletion))
    worker.save(phase=Phase.REWRITE)
    return None


def _rewrite(worker: Worker, deadline: float) -> dt.datetime | None:
    """New files without the rows; then wait until those they replace are off the disk."""
    deletion, asked = worker.deletion, worker.deletion.asked
    soon = worker.clock() + dt.timedelta(seconds=settings.DELETION_LOOK_SECONDS)
    if "began_at" not in asked:
        if deletion.kind != Kind.PROJECT:
            until = _quoted_until(deletion)
            waiting_rows.empty_samples(deletion.project_id, until)
            erasing.empty_samples(deletion.project_id, until)
        erasing.rewrite()
        worker.save(asked={**asked, "began_at": worker.clock().isoformat()})
        return soon
    if not erasing.is_rewritten():
        return soon
    if "rewritten_at" not in asked:
        now = SystemReader().clock()
        worker.save(asked={**asked, "rewritten_at": now.isoformat()})
    rewritten_at = dt.datetime.fromisoformat(deletion.asked["rewritten_at"])
    if erasing.replaced_parts(rewritten_at):
        return soon
    looks = int(asked.get("disk_looks", 0))
    if not disk.clean() and looks < _MOST_DISK_LOOKS:
        worker.save(asked={**deletion.asked, "disk_looks": looks + 1})
        return soon
    if detached := erasing.detached_parts():
        _remark(
            worker,
            f"{detached} damaged parts that the trace store put aside could not be looked through.",
        )
    worker.save(phase=Phase.END)
    return None


def _quoted_until(deletion: Deletion) -> dt.datetime:
    """Receipts until then may quote what goes. Of expired traces younger ones cannot, and what they
    say of today's refusals is needed."""
    if deletion.kind == Kind.EXPIRED:
        return deletion.asked_at - dt.timedelta(days=SHORTEST_DAYS)
    return timezone.now() + dt.timedelta(days=1)


def _end(worker: Worker) -> None:
    """What is left is the receipt."""
    deletion = worker.deletion
    kept = {"trace_ids": deletion.asked["trace_ids"]} if deletion.kind == Kind.TRACES else {}
    with transaction.atomic():
        if deletion.kind == Kind.EXPIRED:
            deletion.traces.all().delete()
        worker.leave(
            Deletion.State.DONE, finished_at=worker.clock(), asked=kept, error="", counted={}
        )
    log.info(
        "deletion.done deletion=%s project=%s kind=%s traces=%d rows=%d",
        *(deletion.pk, deletion.project_id, deletion.kind, deletion.erased, deletion.row_count),
    )


def _portion(deletion: Deletion, rows: Iterable[DeletedTrace]) -> Wanted:
    if deletion.kind == Kind.PROJECT:
        return Wanted(deletion.project_id, is_everything=True)
    ids = frozenset(bytes.fromhex(row.trace_id) for row in rows)
    return Wanted(deletion.project_id, trace_ids=ids)


def _take(worker: Worker, wanted: Wanted) -> None:
    """All of it, everywhere. What is found is written before it is deleted: a worker that dies in
    between leaves the figure to the next."""
    deletion = worker.deletion
    worker.tick()
    gone = waiting_rows.erase(wanted)
    if unreadable := gone.pop("unreadable", 0):
        _remark(worker, f"{unreadable} waiting requests cannot be read, and so not be sifted.")
    found = erasing.count(wanted)
    counted = Counter({name: max(found[name], deletion.counted.get(name, 0)) for name in
                       {*found, *deletion.counted}})  # fmt: skip
    worker.save(counted=dict(counted))
    erasing.erase(wanted, found, worker.tick)
    if wanted.is_everything:
        gone += holders.erase_project(wanted.project_id)
        gone["database"] += sum(Project.objects.filter(pk=wanted.project_id).delete()[1].values())
    elif wanted.trace_ids:
        gone += holders.erase_traces(wanted.project_id, wanted.hex_ids)
    total = Counter(deletion.rows) + counted + gone
    worker.save(rows=dict(+total), counted={})


def _remark(worker: Worker, text: str) -> None:
    if text not in worker.deletion.remark:
        worker.save(remark=f"{worker.deletion.remark} {text}".strip())


def retry(deletion: Deletion, now: dt.datetime) -> bool:
    """Goes on with one that failed."""
    failed = Deletion.objects.filter(pk=deletion.pk, state=Deletion.State.FAILED)
    return bool(
        failed.update(state=Deletion.State.WAITING, due_at=now, failures=0, error="",
                      attempts=F("attempts") + 1)
    )  # fmt: skip


def forget_expired(now: dt.datetime) -> int:
    """Tombstones whose time is over, of deletions that have ended."""
    over = DeletedTrace.objects.filter(expires_at__lte=now, deletion__state=Deletion.State.DONE)
    return over.delete()[0]
