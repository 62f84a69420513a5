"""Claims on spooled requests: a lease with an owner and an end, fair between projects.

A drainer that is killed leaves its lease to end; two that hold the same request do no harm, because
a row written twice replaces itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q

from traces.models import SpoolBatch
from traces.store import writer

LEASE_SECONDS = 60
RETRY_SECONDS = 600
"""Until a request that cannot even be read is looked at again; its age shows on the health page."""
ALONE_AFTER_ATTEMPTS = 3
"""Requests that failed so often with others are written one by one."""
_MAX_PROJECTS = 50
_MAX_REQUESTS = 400
_MAX_BYTES = 16 * 1024**2
"""Of encoded content in one claim: some five times as much when decoded."""

_Size = tuple[UUID, int, int, int]  # id, rows, bytes, attempts


def claim(owner: UUID, *, after: UUID, now: datetime) -> list[SpoolBatch]:
    """Requests for one INSERT, in turns over the projects that follow `after` in the order of ids.

    Empty when nothing waits unclaimed.
    """
    chosen = _within_one_insert(_in_turns(after, now))
    if not chosen:
        return []
    SpoolBatch.objects.filter(_free(now), id__in=chosen).update(
        lease_owner=owner,
        lease_expires_at=now + timedelta(seconds=LEASE_SECONDS),
        attempts=F("attempts") + 1,
    )
    return list(SpoolBatch.objects.filter(lease_owner=owner).order_by("created_at", "id"))


def finish(owner: UUID, done: Sequence[SpoolBatch]) -> None:
    """They are stored, receipts and all."""
    SpoolBatch.objects.filter(id__in=[batch.id for batch in done]).delete()


def give_back(owner: UUID, reason: str) -> None:
    """Whatever the owner still holds may be claimed again at once."""
    SpoolBatch.objects.filter(lease_owner=owner).update(
        lease_owner=None, lease_expires_at=None, last_error=reason[:1000]
    )


def put_aside(batch: SpoolBatch, reason: str, *, now: datetime) -> None:
    """It cannot be read: kept, but in nobody's way."""
    SpoolBatch.objects.filter(id=batch.id).update(
        lease_owner=None,
        lease_expires_at=now + timedelta(seconds=RETRY_SECONDS),
        last_error=reason.replace("\0", "")[:1000],
    )


def _free(now: datetime) -> Q:
    return Q(lease_expires_at=None) | Q(lease_expires_at__lt=now)


def _in_turns(after: UUID, now: datetime) -> Iterator[_Size]:
    """The oldest of each project, then the second oldest of each, and so on."""
    projects = _projects(after)
    if not projects:
        return
    each = max(1, _MAX_REQUESTS // len(projects))
    waiting = [
        list(
            SpoolBatch.objects.filter(_free(now), project_id=project_id)
            .order_by("created_at", "id")
            .values_list("id", "rows", "bytes", "attempts")[:each]
        )
        for project_id in projects
    ]
    for turn in range(each):
        for sizes in waiting:
            if turn < len(sizes):
                yield sizes[turn]


def _projects(after: UUID) -> list[UUID]:
    """Found one by one through the index: the spool may hold very many requests of few projects."""
    found: list[UUID] = []
    here = SpoolBatch.objects.order_by("project_id").values_list("project_id", flat=True)
    position, is_second_round = after, False
    while len(found) < _MAX_PROJECTS:
        following = here.filter(project_id__gt=position).first()
        if following is None:
            if is_second_round:
                break
            # From the smallest id on; the nil UUID is nobody's.
            position, is_second_round = UUID(int=0), True
            continue
        if is_second_round and following > after:
            break
        found.append(following)
        position = following
    return found


def _within_one_insert(sizes: Iterator[_Size]) -> list[UUID]:
    chosen: list[UUID] = []
    rows = size = 0
    for batch_id, batch_rows, batch_bytes, attempts in sizes:
        is_full = rows + batch_rows > writer.MAX_ROWS or size + batch_bytes > _MAX_BYTES
        stands_alone = attempts >= ALONE_AFTER_ATTEMPTS
        if chosen and (is_full or stands_alone):
            break
        chosen.append(batch_id)
        rows, size = rows + batch_rows, size + batch_bytes
        if stands_alone:
            break
    return chosen
