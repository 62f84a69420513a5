"""Turns settled generations of all projects into runs, so that restarts and bursts lose none.

The cursor follows the engine's clock with an overlap; rows that exist already are left alone by
their unique constraint, and sampling is a hash, so reading a generation twice changes nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q

from accounts.models import Project
from detectors import defaults, readiness
from detectors.models import Detector, DetectorRun, SweepCursor
from detectors.sampling import is_sampled
from traces.store.system import SettledTrace, SystemReader

log = logging.getLogger(__name__)

OVERLAP = dt.timedelta(seconds=30)
LEASE = dt.timedelta(seconds=20)
PAGE = 1_000
_CURSOR = "settled"
_BEGINNING = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
_TICK = dt.timedelta(milliseconds=1)


def hold(owner: str, now: dt.datetime) -> bool:
    """Take or renew the right to sweep; False while another worker has it."""
    SweepCursor.objects.get_or_create(name=_CURSOR, defaults={"settled_at": _BEGINNING})
    free = Q(lease_owner=owner) | Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lte=now)
    taken = SweepCursor.objects.filter(free, name=_CURSOR).update(
        lease_owner=owner, lease_expires_at=now + LEASE
    )
    return taken == 1


def release(owner: str) -> None:
    SweepCursor.objects.filter(name=_CURSOR, lease_owner=owner).update(lease_expires_at=None)


def create_runs(now: dt.datetime, *, max_pages: int = 20) -> int:
    """Runs for what settled since the cursor. Raises StoreUnavailable.

    To be called by the holder of the sweep; returns how many generations were read.
    """
    cursor = SweepCursor.objects.get(name=_CURSOR).settled_at
    reader = SystemReader()
    after, limit, read = cursor - OVERLAP, PAGE, 0
    for _ in range(max_pages):
        page = reader.settled_since(after, limit=limit)
        _create_for(page, now)
        read += len(page)
        if not page:
            break
        newest = page[-1].settled_at
        SweepCursor.objects.filter(name=_CURSOR, settled_at__lt=newest).update(settled_at=newest)
        if len(page) < limit:
            break
        # One settle gives many traces the same instant, and a page may end within it: read it
        # again.
        step = newest - _TICK
        after, limit = (step, PAGE) if step > after else (after, limit * 2)
    return read


def _create_for(settled: Sequence[SettledTrace], now: dt.datetime) -> None:
    fresh = [trace for trace in settled if not trace.is_evaluation]
    detectors = _detectors({trace.project_id for trace in fresh})
    known = _known_runs(fresh)
    rows = [
        DetectorRun(
            project_id=trace.project_id,
            detector=detector,
            detector_version=detector.version,
            trace_id=trace.trace_id.hex(),
            generation=trace.generation,
            inclusion_probability=detector.sample_rate,
            due_at=now,
            created_at=now,
        )
        for trace in fresh
        for detector in detectors.get(trace.project_id, ())
        if (detector.id, trace.trace_id.hex(), trace.generation) not in known
        and is_sampled(detector.id, trace.trace_id, detector.sample_rate)
    ]
    if rows:
        DetectorRun.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
        log.info("runs.created count=%d traces=%d", len(rows), len(fresh))


def _known_runs(settled: Sequence[SettledTrace]) -> set[tuple[UUID, str, int]]:
    """The overlap is read every second; asking is cheaper than an insert that is refused."""
    ids = [trace.trace_id.hex() for trace in settled]
    known: set[tuple[UUID, str, int]] = set()
    for start in range(0, len(ids), 500):
        known.update(
            DetectorRun.objects.filter(trace_id__in=ids[start : start + 500]).values_list(
                "detector_id", "trace_id", "generation"
            )
        )
    return known


def _detectors(project_ids: Iterable[UUID]) -> dict[UUID, list[Detector]]:
    """Those that are on, by project; projects that are gone have none."""
    existing = set(Project.objects.filter(pk__in=project_ids).values_list("pk", flat=True))
    for project_id in existing - set(_with_detectors(existing)):
        defaults.ensure(project_id)
    found: dict[UUID, list[Detector]] = defaultdict(list)
    for detector in Detector.objects.filter(project__in=existing).enabled().by_name():
        if not readiness.why_off(detector):
            found[detector.project_id].append(detector)
    return found


def _with_detectors(project_ids: set[UUID]) -> Iterable[UUID]:
    return Detector.objects.filter(project__in=project_ids).values_list("project_id", flat=True)
