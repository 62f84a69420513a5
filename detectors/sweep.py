"""Turns settled generations of all projects into runs, so that restarts and bursts lose none.

What a check cannot but pass gets its verdict at once and no run; most traces of most projects are
like that. The cursor follows the engine's clock with an overlap; rows that exist already are left
alone by their unique constraint, and sampling is a hash, so reading a generation twice changes
nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q

from accounts.models import Project
from detectors import defaults, readiness, verdict_rows
from detectors.checks.registry import BY_SLUG
from detectors.models import Detector, DetectorRun, Finding, SweepCursor
from detectors.sampling import is_sampled
from detectors.verdict_rows import Pass
from traces.store.system import SettledTrace, SystemReader

log = logging.getLogger(__name__)

OVERLAP = dt.timedelta(seconds=30)
GLANCE = dt.timedelta(seconds=3)
"""Enough but for an INSERT that takes long, which the next wider look finds."""
LEASE = dt.timedelta(seconds=20)
PAGE = 5_000
_CURSOR = "settled"
_BEGINNING = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
_TICK = dt.timedelta(milliseconds=1)

# What this process has swept within the overlap: it is read again and again, and known by this.
_swept: dict[tuple[UUID, bytes, int], dt.datetime] = {}


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


def create_runs(now: dt.datetime, *, overlap: dt.timedelta = OVERLAP, max_pages: int = 20) -> int:
    """Runs or verdicts for what settled since the cursor, and before it in the overlap if that is
    new to us. Raises StoreUnavailable.

    To be called by the holder of the sweep; returns how many generations were read.
    """
    cursor = SweepCursor.objects.get(name=_CURSOR).settled_at
    reader = SystemReader()
    after, limit, read, fresh_pages = cursor - overlap, PAGE, 0, 0
    while fresh_pages < max_pages:  # known ones do not count: however many overlap, we come past
        page = reader.settled_since(after, limit=limit)
        fresh_pages += _create_for(page, now)
        read += len(page)
        if not page:
            break
        newest = page[-1].settled_at
        SweepCursor.objects.filter(name=_CURSOR, settled_at__lt=newest).update(settled_at=newest)
        if len(page) < limit:
            _forget(newest)
            break
        # One settle gives many traces the same instant, and a page may end within it: read it
        # again.
        step = newest - _TICK
        after, limit = (step, PAGE) if step > after else (after, limit * 2)
    return read


def _create_for(settled: Sequence[SettledTrace], now: dt.datetime) -> bool:
    """Whether any of them was new to us."""
    fresh = _fresh(settled)
    if not fresh:
        return False
    detectors = _detectors({trace.project_id for trace in fresh})
    found = _with_findings(fresh)
    passes: list[Pass] = []
    rows: list[DetectorRun] = []
    for trace in fresh:
        for detector in detectors.get(trace.project_id, ()):
            if trace.is_evaluation and not detector.includes_evaluations:
                continue
            if not is_sampled(detector.id, trace.trace_id, detector.sample_rate):
                continue
            summary = _passes(detector, trace)
            if summary and (detector.id, trace.trace_id.hex()) not in found:
                passes.append(Pass(detector, trace, summary))
            else:
                rows.append(_run(detector, trace, now))
    verdict_rows.write_passes(passes, now)
    _create(rows)
    _swept.update({(one.project_id, one.trace_id, one.generation): one.settled_at for one in fresh})
    return True


def _fresh(settled: Sequence[SettledTrace]) -> list[SettledTrace]:
    return [one for one in settled if (one.project_id, one.trace_id, one.generation) not in _swept]


def _forget(newest: dt.datetime) -> None:
    oldest = newest - 2 * OVERLAP
    for key in [key for key, settled_at in _swept.items() if settled_at < oldest]:
        del _swept[key]


def _passes(detector: Detector, trace: SettledTrace) -> str:
    check = BY_SLUG.get(detector.template) if detector.kind == Detector.Kind.CHECK else None
    return check.passes(trace.calls, detector.config) if check is not None else ""


def _with_findings(settled: Sequence[SettledTrace]) -> set[tuple[UUID, str]]:
    """A later generation may take a finding back, which is a run's work."""
    later = [trace.trace_id.hex() for trace in settled if trace.generation > 1]
    found: set[tuple[UUID, str]] = set()
    for start in range(0, len(later), 500):
        found.update(
            Finding.objects.filter(trace_id__in=later[start : start + 500]).values_list(
                "detector_id", "trace_id"
            )
        )
    return found


def _run(detector: Detector, trace: SettledTrace, now: dt.datetime) -> DetectorRun:
    return DetectorRun(
        project_id=trace.project_id,
        detector=detector,
        detector_version=detector.version,
        trace_id=trace.trace_id.hex(),
        generation=trace.generation,
        inclusion_probability=detector.sample_rate,
        due_at=now,
        created_at=now,
    )


def _create(rows: Sequence[DetectorRun]) -> None:
    known = _known_runs(sorted({row.trace_id for row in rows}))
    wanted = [row for row in rows if (row.detector_id, row.trace_id, row.generation) not in known]
    if wanted:
        DetectorRun.objects.bulk_create(wanted, ignore_conflicts=True, batch_size=500)
        log.info("runs.created count=%d", len(wanted))


def _known_runs(trace_ids: Sequence[str]) -> set[tuple[UUID, str, int]]:
    """The overlap is read again and again; asking is cheaper than an insert that is refused."""
    known: set[tuple[UUID, str, int]] = set()
    for start in range(0, len(trace_ids), 500):
        known.update(
            DetectorRun.objects.filter(trace_id__in=trace_ids[start : start + 500]).values_list(
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
