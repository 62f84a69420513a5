"""Works off runs: claim by lease, read the trace, ask check or judge, write verdict and finding.

Checks of one trace are claimed together, since reading the spans is most of the work. A worker
that dies leaves a lease that runs out; the next attempt writes the same rows again.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from detectors import findings, judge, verdict_rows
from detectors.checks.registry import BY_SLUG
from detectors.evidence import verify
from detectors.judge import JudgeFailed
from detectors.models import Detector, DetectorRun
from detectors.verdicts import Verdict
from traces.spans import Span
from traces.store.errors import StoreError, StoreUnavailable
from traces.store.reader import SpanReader

log = logging.getLogger(__name__)

Kind = Detector.Kind
Clock = Callable[[], dt.datetime]
MAX_SPANS = 10_000
MAX_ATTEMPTS = 5
_LEASE = {Kind.CHECK: dt.timedelta(seconds=60), Kind.JUDGE: dt.timedelta(minutes=10)}
_STORE_PAUSE = dt.timedelta(seconds=5)
_CANDIDATES = 64
# Traces of our own making: judging a judge's traces would never end.
_OWN_SCOPE = '"traceroot.judge'
_OWN_ATTRIBUTE = "traceroot.internal"


def run_due(kind: Detector.Kind, *, seconds: float, clock: Clock = timezone.now) -> int:
    """Work off due runs of one kind for at most `seconds`, finishing a begun one; returns how many.

    Stops early, with the runs waiting as before, when the trace store is down.
    """
    end = clock() + dt.timedelta(seconds=seconds)
    finished = 0
    while clock() < end:
        claimed = claim(kind, clock())
        if not claimed:
            break
        try:
            work(claimed, clock)
        except StoreUnavailable as error:
            log.warning("runs.store_unavailable runs=%d reason=%s", len(claimed), error)
            _release(claimed, clock(), str(error))
            break
        finished += len(claimed)
    return finished


def has_due(kind: Detector.Kind, now: dt.datetime) -> bool:
    return DetectorRun.objects.claimable(now).filter(detector__kind=kind).exists()


def claim(kind: Detector.Kind, now: dt.datetime) -> list[DetectorRun]:
    """The longest waiting run and, for checks, those of its trace; ours until the lease ends."""
    waiting = DetectorRun.objects.claimable(now).filter(detector__kind=kind)
    candidates = list(
        waiting.order_by("due_at", "created_at", "id").values_list("pk", "project_id", "trace_id")[
            :_CANDIDATES
        ]
    )
    while candidates:
        _, project_id, trace_id = candidates[0]
        together = [
            pk for pk, project, trace in candidates if (project, trace) == (project_id, trace_id)
        ]
        wanted = together if kind == Kind.CHECK else together[:1]
        claimed = _take(wanted, kind, now)
        if claimed:
            return claimed
        candidates = [candidate for candidate in candidates if candidate[0] not in wanted]
    return []


def _take(ids: Sequence[uuid.UUID], kind: Detector.Kind, now: dt.datetime) -> list[DetectorRun]:
    token = uuid.uuid4().hex
    DetectorRun.objects.filter(pk__in=ids).claimable(now).update(
        state=DetectorRun.State.RUNNING,
        lease_owner=token,
        lease_expires_at=now + _LEASE[kind],
        started_at=now,
        attempts=F("attempts") + 1,
    )
    mine = DetectorRun.objects.filter(pk__in=ids, lease_owner=token)
    return list(mine.select_related("detector", "project").order_by("id"))


def work(claimed: Sequence[DetectorRun], clock: Clock) -> None:
    """Bring claimed runs of one trace to their final state. Raises StoreUnavailable."""
    first = claimed[0]
    try:
        spans: list[Span] = SpanReader(first.project_id).spans(
            bytes.fromhex(first.trace_id), limit=MAX_SPANS
        )
    except StoreUnavailable:
        raise
    except StoreError as error:
        for run in claimed:
            _fail(run, f"The trace could not be read: {error}", clock())
        return
    for run in claimed:
        if run.attempts > MAX_ATTEMPTS:
            _fail(
                run,
                f"Given up after {MAX_ATTEMPTS} attempts that ended without a verdict.",
                clock(),
            )
            continue
        _work_one(run, spans, clock)


def _work_one(run: DetectorRun, spans: Sequence[Span], clock: Clock) -> None:
    try:
        verdict = _examine(run, spans)
        conclude(run, verdict, spans, clock())
    except JudgeFailed as error:
        _fail(run, str(error), clock(), Verdict("abstain", "", spent=error.spent))
    except StoreUnavailable:
        raise
    except Exception as error:
        # The stage's edge: one odd trace must not stop the others, and the page shows what
        # happened.
        log.exception("runs.crashed run=%s detector=%s", run.pk, run.detector_id)
        _fail(run, f"The detector crashed: {type(error).__name__}: {error}"[:500], clock())


def _examine(run: DetectorRun, spans: Sequence[Span]) -> Verdict:
    if not spans:
        return Verdict("skipped", "The trace has no spans any more.")
    if is_own(spans):
        return Verdict("skipped", "The trace was made by TraceRoot's own judge.")
    if _is_superseded(run):
        return Verdict("superseded", "A later generation of the trace is judged instead.")
    verdict = _ask(run.detector, spans)
    if len(spans) >= MAX_SPANS:
        verdict = replace(
            verdict, summary=f"{verdict.summary} (Only the first {MAX_SPANS:,} spans were read.)"
        )
    return verdict


def _ask(detector: Detector, spans: Sequence[Span]) -> Verdict:
    if detector.kind == Kind.CHECK:
        check = BY_SLUG.get(detector.template)
        if check is None:
            raise JudgeFailed(f"This version of TraceRoot has no check named {detector.template}.")
        return verify(check.examine(spans, detector.config), spans)
    configured = judge.configured()
    if configured is None:
        raise JudgeFailed("The judge model was taken out of the configuration.")
    leads = tuple(
        lead.summary
        for check in BY_SLUG.values()
        if (lead := check.examine(spans, {})).outcome == "fail"
    )
    return judge.examine(configured, spans, detector.prompt, leads)


def is_own(spans: Sequence[Span]) -> bool:
    return any(
        _OWN_SCOPE in span.scope_json or span.attributes.get(_OWN_ATTRIBUTE) is True
        for span in spans
    )


def _is_superseded(run: DetectorRun) -> bool:
    later = DetectorRun.objects.filter(
        detector=run.detector, trace_id=run.trace_id, generation__gt=run.generation
    )
    return later.exists()


def conclude(run: DetectorRun, verdict: Verdict, spans: Sequence[Span], now: dt.datetime) -> None:
    """Write verdict, finding and the run's final state. Raises StoreUnavailable; the run waits
    then."""
    if verdict.outcome not in ("skipped", "superseded"):
        verdict_rows.write(run, verdict, now)
        findings.mark_trace(run, verdict)
    with transaction.atomic():
        if not _finish(run, DetectorRun.State.DONE, verdict, now, error=""):
            return  # the lease ran out and another worker has it
        if verdict.outcome not in ("skipped", "superseded"):
            findings.open_(run, verdict, spans, now)
        findings.announce(run.project_id, run.trace_id)


def _fail(run: DetectorRun, reason: str, now: dt.datetime, verdict: Verdict | None = None) -> None:
    log.warning("runs.failed run=%s detector=%s reason=%s", run.pk, run.detector_id, reason)
    _finish(run, DetectorRun.State.FAILED, verdict or Verdict("abstain", ""), now, error=reason)


def _finish(
    run: DetectorRun, state: DetectorRun.State, verdict: Verdict, now: dt.datetime, *, error: str
) -> bool:
    is_done = state == DetectorRun.State.DONE
    return bool(
        DetectorRun.objects.filter(
            pk=run.pk, state=DetectorRun.State.RUNNING, lease_owner=run.lease_owner
        ).update(
            state=state,
            lease_expires_at=None,
            outcome=verdict.outcome if is_done else "",
            confidence=verdict.confidence if is_done else None,
            summary=verdict.summary.replace("\0", ""),
            error=error.replace("\0", ""),
            cost_usd=verdict.spent.cost_usd,
            input_tokens=verdict.spent.input_tokens,
            output_tokens=verdict.spent.output_tokens,
            finished_at=now,
        )
    )


def _release(claimed: Sequence[DetectorRun], now: dt.datetime, reason: str) -> None:
    """Back to waiting; the attempt does not count, since the trace is not to blame."""
    DetectorRun.objects.filter(
        pk__in=[run.pk for run in claimed],
        state=DetectorRun.State.RUNNING,
        lease_owner=claimed[0].lease_owner,
    ).update(
        state=DetectorRun.State.PENDING,
        lease_owner="",
        lease_expires_at=None,
        attempts=F("attempts") - 1,
        due_at=now + _STORE_PAUSE,
        error=reason,
    )
