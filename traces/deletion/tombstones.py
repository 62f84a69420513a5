"""Spans of deleted traces are not taken again, whoever sends them, nor are log records and usage
of deleted sessions and users from before.

The receiver asks a set in memory, which a thread brings up to date each second; the spool's drain
and the release of quarantined spans ask the database. What slips between is found by the second
look of the deletion itself.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import starmap
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Q
from django.utils import timezone

from traces.deletion.fingerprints import fingerprint
from traces.ingest.arrivals import Arrival
from traces.store.batches import Batch
from traces.store.errors import StoreUnavailable

log = logging.getLogger(__name__)

REASON = "deleted"
_SPANS = "spans"
_FIRST_LOAD_SECONDS = 5.0
_WHOLE_SECONDS = 600.0
_OVERLAP = dt.timedelta(seconds=60)
"""A row of a long transaction shows up behind later ones."""


class Row(NamedTuple):
    """As the database has it (`DeletedTrace`)."""

    project_id: UUID
    trace_id: str
    is_person: bool
    until_ns: int
    created_at: dt.datetime


@dataclass(slots=True)
class Known:
    """Tombstones in force: ids by project, projects that are gone as a whole, and by project the
    fingerprints of sessions and users with the time (ns) until which theirs are gone.
    """

    traces: dict[UUID, set[bytes]] = field(default_factory=dict)
    projects: set[UUID] = field(default_factory=set)
    people: dict[UUID, dict[str, int]] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        if row.is_person:
            until = self.people.setdefault(row.project_id, {})
            until[row.trace_id] = max(row.until_ns, until.get(row.trace_id, 0))
        elif row.trace_id:
            self.traces.setdefault(row.project_id, set()).add(bytes.fromhex(row.trace_id))
        else:
            self.projects.add(row.project_id)

    def without_deleted(self, arrival: Arrival) -> Arrival:
        """The request without what may not come back; counted as dropped."""
        batch = arrival.batch
        if batch.project_id in self.projects:
            return keep_rows(arrival, [])
        gone = self._of_deleted_traces(batch) | self._of_deleted_people(batch)
        return (
            keep_rows(arrival, [n for n in range(batch.rows) if n not in gone]) if gone else arrival
        )

    def _of_deleted_traces(self, batch: Batch) -> set[int]:
        deleted = self.traces.get(batch.project_id)
        if not deleted or "trace_id" not in batch.names:
            return set()
        trace_ids = batch.column("trace_id")
        if deleted.isdisjoint(trace_ids):
            return set()
        return {n for n, one in enumerate(trace_ids) if one in deleted}

    def _of_deleted_people(self, batch: Batch) -> set[int]:
        """Rows that may belong to no trace; one that says no time is taken for a new one."""
        people = self.people.get(batch.project_id)
        if not people or batch.table == _SPANS:
            return set()
        times = batch.column("time_ns")
        if "observed_ns" in batch.names:
            times = [a or b for a, b in zip(times, batch.column("observed_ns"), strict=True)]
        gone: set[int] = set()
        for kind in ("session_id", "user_id"):
            if kind not in batch.names:
                continue
            names = batch.column(kind)
            until = {name: people.get(_of_person(kind, name), 0) for name in set(names) - {""}}
            gone |= {n for n, name in enumerate(names) if 0 < times[n] <= until.get(name, 0)}
        return gone


@lru_cache(maxsize=16_384)
def _of_person(kind: str, name: str) -> str:
    """The event loop asks of every name of a request, and the same ones come again and again."""
    return fingerprint({kind: name})


class _State:
    """Of this process. `stop` ends the thread that looks for news."""

    def __init__(self) -> None:
        self.known: Known | None = None
        self.read_whole_at = float("-inf")
        self.newest: dt.datetime | None = None
        self.lock = threading.Lock()
        self.stop = threading.Event()


_state = _State()


def current() -> Known:
    """Those this process knows of. Raises StoreUnavailable before it could read any."""
    if _state.known is None:
        _begin()
    if _state.known is None:
        raise StoreUnavailable("The database has not said yet which traces are deleted.")
    return _state.known


def is_loaded() -> bool:
    return _state.known is not None


def load() -> None:
    """Waits for the first reading, for a few seconds at most: not in an event loop."""
    _begin()


def reload() -> None:
    """Reads what is new from the database in this thread. Raises DatabaseError."""
    state = _state
    is_whole = state.known is None or time.monotonic() - state.read_whole_at > _WHOLE_SECONDS
    known = Known() if is_whole or state.known is None else state.known
    since = None if is_whole else state.newest
    for row in _rows(since):
        known.add(row)
        state.newest = max(state.newest or row.created_at, row.created_at)
    if is_whole:
        state.read_whole_at = time.monotonic()
    state.known = known


def forget() -> None:
    """Back to a process that has read nothing yet."""
    global _state
    _state.stop.set()
    _state = _State()


def of_projects(project_ids: Iterable[UUID], trace_ids: Iterable[bytes] = ()) -> Known:
    """As the database has them now, of these projects; with ids, of those traces alone."""
    from traces.models import DeletedTrace

    rows = DeletedTrace.objects.in_force(timezone.now()).filter(project_id__in=set(project_ids))
    named = sorted({one.hex() for one in trace_ids})
    known = Known()
    if not rows.exists():
        return known
    for start in range(0, max(len(named), 1), 500):
        asked = ["", *named[start : start + 500]] if named else None
        found = rows.filter(Q(trace_id__in=asked) | Q(is_person=True)) if asked else rows
        for row in found.values_list(*Row._fields):
            known.add(Row(*row))
    return known


def without_deleted(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Requests that waited, without what was deleted meanwhile. Asks the database."""
    ids: set[bytes] = set()
    for arrival in arrivals:
        if "trace_id" in arrival.batch.names:
            ids.update(arrival.batch.column("trace_id"))
    known = of_projects({arrival.batch.project_id for arrival in arrivals}, ids)
    return [known.without_deleted(arrival) for arrival in arrivals]


def keep_rows(arrival: Arrival, rows: Sequence[int]) -> Arrival:
    """The request with these rows alone; what is left out counts as dropped, because deleted."""
    batch, receipt = arrival.batch, arrival.receipt
    dropped = batch.rows - len(rows)
    if not dropped:
        return arrival
    kept = part(batch, rows)
    said = {**receipt.reasons, REASON: receipt.reasons.get(REASON, 0) + dropped}
    if batch.table != _SPANS:
        return Arrival(kept, replace(receipt, records=len(rows), reasons=said))
    ids = zip(kept.column("trace_id"), kept.column("span_id"), strict=True) if rows else ()
    receipt = replace(
        receipt,
        accepted=max(0, receipt.accepted - dropped),
        unique_spans=len(set(ids)),
        dropped=receipt.dropped + dropped,
        reasons=said,
    )
    return Arrival(kept, receipt)


def part(batch: Batch, rows: Sequence[int]) -> Batch:
    """The batch with these rows alone."""
    columns = [[column[row] for row in rows] for column in batch.columns]
    return replace(batch, columns=columns) if rows else batch.without_rows()


def _begin() -> None:
    state = _state
    with state.lock:
        seconds = settings.TOMBSTONES_REFRESH_SECONDS
        if state.known is not None:
            return
        if seconds <= 0:
            state.known = Known()
            return
        has_read = threading.Event()
        work = (state, seconds, has_read)
        threading.Thread(target=_keep_up, args=work, name="tombstones", daemon=True).start()
        has_read.wait(_FIRST_LOAD_SECONDS)


def _keep_up(state: _State, seconds: float, has_read: threading.Event) -> None:
    """A query every second, in a thread of its own: no span ever waits for it."""
    while not state.stop.is_set():
        if _read():
            has_read.set()
        state.stop.wait(seconds)


def _read() -> bool:
    try:
        reload()
    except (DatabaseError, InterfaceError) as error:
        log.warning("tombstones.not_read reason=%s", type(error).__name__)
        return False
    finally:
        connection.close()
    return True


def _rows(since: dt.datetime | None) -> Iterator[Row]:
    from traces.models import DeletedTrace

    rows = DeletedTrace.objects.in_force(timezone.now())
    if since is not None:
        rows = rows.filter(created_at__gt=since - _OVERLAP)
    return starmap(Row, rows.values_list(*Row._fields).iterator(chunk_size=10_000))


# A child process has no threads but its own: it begins anew.
os.register_at_fork(after_in_child=forget)
