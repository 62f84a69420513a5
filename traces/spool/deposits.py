"""Putting requests into the spool: committed on return, within bounds, or not at all."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections, transaction
from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import Coalesce

from traces.ingest.arrivals import Arrival
from traces.models import SpoolBatch
from traces.spool import encoding
from traces.store.errors import StoreUnavailable

PROJECT_SHARE = 0.75
"""Of the spool, for any one project: what is left takes in the others."""
_LOOK_SECONDS = 1.0


class NotSpooled(StoreUnavailable):
    """These requests cannot be spooled together; fewer of them perhaps can."""


class SpoolFull(NotSpooled):
    """The spool holds as much as it may, or its disk is almost full."""


@contextmanager
def connected() -> Iterator[None]:
    """Database trouble as StoreUnavailable; the thread's connection does not outlive its use."""
    try:
        yield
    except (DatabaseError, InterfaceError, OSError) as error:
        raise StoreUnavailable(f"The spool cannot be used: {type(error).__name__}.") from error
    finally:
        let_go(settings.SPOOL_ALIAS)


def let_go(alias: str) -> None:
    """End this thread's use of a database, unless it is inside a transaction of its caller's."""
    connection = connections[alias]
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def put(arrivals: Sequence[Arrival], *, now: datetime) -> None:
    """All of them, in one transaction. Raises NotSpooled or StoreUnavailable; then none is in."""
    with connected():
        _usage.admit([])
        made = [_row(arrival, now) for arrival in arrivals]
        _usage.admit(made)
        with transaction.atomic(using=settings.SPOOL_ALIAS):
            SpoolBatch.objects.bulk_create(made)


def forget_usage() -> None:
    """Look the spool's size up again at the next deposit."""
    _usage.forget()


@dataclass(frozen=True, slots=True)
class Depth:
    """What waits. `oldest` is None when nothing does; `attempts` are the most of any request."""

    requests: int
    spans: int
    bytes: int
    oldest: datetime | None
    attempts: int


_DEPTH: dict[str, Any] = {
    "requests": Count("id"),
    "spans": Sum("accepted", default=0),
    "bytes": Sum("bytes", default=0),
    "oldest": Min("created_at"),
    "attempts": Coalesce(Max("attempts"), 0),
}


def depth(project_id: UUID | None = None) -> Depth:
    """Of one project or all. Raises StoreUnavailable."""
    with connected():
        waiting = SpoolBatch.objects.all()
        if project_id is not None:
            waiting = waiting.filter(project_id=project_id)
        return Depth(**waiting.aggregate(**_DEPTH))


def depth_by_key(project_id: UUID) -> dict[UUID, Depth]:
    """Raises StoreUnavailable."""
    waiting = SpoolBatch.objects.filter(project_id=project_id, key_id__isnull=False)
    with connected():
        found: list[Any] = list(waiting.order_by().values("key_id").annotate(**_DEPTH))
    return {row.pop("key_id"): Depth(**row) for row in found}


def _row(arrival: Arrival, now: datetime) -> SpoolBatch:
    try:
        content = encoding.encode(arrival)
    except encoding.Unwritable as error:
        raise NotSpooled(f"The spool cannot hold a value of these spans: {error}") from error
    return SpoolBatch(
        project_id=arrival.batch.project_id,
        key_id=arrival.receipt.key_id,
        received_ns=arrival.batch.received_ns,
        rows=arrival.batch.rows,
        accepted=arrival.receipt.accepted,
        bytes=len(content),
        created_at=now,
        content=content,
    )


class _Usage:
    """Bytes in the spool by project: looked up each second, and what this process put in since."""

    def __init__(self) -> None:
        self._bytes: dict[UUID, int] = {}
        self._looked_at = float("-inf")
        self._lock = threading.Lock()

    def admit(self, made: Sequence[SpoolBatch]) -> None:
        """Count them in. Raises SpoolFull."""
        with self._lock:
            if time.monotonic() - self._looked_at > _LOOK_SECONDS:
                self._look()
            after = dict(self._bytes)
            for row in made:
                after[row.project_id] = after.get(row.project_id, 0) + row.bytes
            if sum(after.values()) >= settings.SPOOL_MAX_BYTES:
                raise SpoolFull("The trace store is away and its spool is full.")
            share = settings.SPOOL_MAX_BYTES * PROJECT_SHARE
            if any(after[row.project_id] > share for row in made):
                raise SpoolFull("The trace store is away and this project's share is spooled.")
            self._bytes = after

    def forget(self) -> None:
        with self._lock:
            self._looked_at = float("-inf")

    def _look(self) -> None:
        directory = _directory()
        if directory is not None:
            free = shutil.disk_usage(directory).free
            if free < settings.SPOOL_MIN_FREE_BYTES:
                raise SpoolFull("The trace store is away and the disk of the spool almost full.")
        found = SpoolBatch.objects.values("project_id").annotate(total=Sum("bytes"))
        self._bytes = {row["project_id"]: row["total"] for row in found.order_by()}
        self._looked_at = time.monotonic()


def _directory() -> Path | None:
    """Of the spool's file; None on a server, whose disk is its own matter."""
    database = settings.DATABASES[settings.SPOOL_ALIAS]
    is_file = database["ENGINE"].endswith("sqlite3")
    return Path(connections[settings.SPOOL_ALIAS].settings_dict["NAME"]).parent if is_file else None


_usage = _Usage()
