"""Works off runs: claim by lease, read the trace, ask check or judge, write verdict and finding.

Checks are claimed for several traces at once and written with one INSERT. A worker
that dies leaves a lease that runs out; the next attempt writes the same rows again.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from django.db.models import F, Max
from django.utils import timezone

from detectors import conclusions, judge
from detectors.checks.registry import BY_SLUG
from detectors.conclusions import Decided
from detectors.evidence import verify
from detectors.judge import JudgeFailed
from detectors.models import Detector, DetectorRun
from detectors.verdicts import Verdict
from traces.spans import Span
from traces.store.errors import QueryTooLarge, StoreError, StoreRejected, StoreUnavailable
from traces.store.reader import SpanReader

log = logging.getLogger(__name__)

Kind = Detector.Kind
Clock = Callable[[], dt.datetime]
_Trace = tuple[uuid.UUID, str]
MAX_SPANS = 10_000
MAX_ATTEMPTS = 5
_LEASE = {Kind.CHECK: dt.timedelta(minutes=2), Kind.JUDGE: dt.timedelta(minutes=10)}
_STORE_PAUSE = dt.timedelta(seconds=5)
_CANDIDATES = 900
_TRACES_AT_ONCE = 450
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
    """The longest waiting: one run of a judge, or the checks of some traces; ours while leased."""
    waiting = DetectorRun.objects.claimable(now).filter(detector__kind=kind)
    candidates = list(
        waiting.order_by("due_at", "created_at", "id").values_list("pk", "project_id", "trace_id")[
            :_CANDIDATES
        ]
    )
    traces = list(dict.fromkeys((project, trace) for _, project, trace in candidates))
    together = set(traces[:_TRACES_AT_ONCE])
    wanted = [pk for pk, project, trace in candidates if (project, trace) in together]
    if kind == Kind.CHECK:
        return _take(wanted, kind, now)
    for pk, _, _ in candidates:
        if claimed := _take([pk], kind, now):
            return claimed
    return []


def _take(ids: Sequence[uuid.UUID], kind: Detector.Kind, now: dt.datetime) -> list[DetectorRun]:
    token = uuid.uuid4().hex
    free = DetectorRun.objects.filter(pk__in=ids).claimable(now)
    free.take(token, now + _LEASE[kind], started_at=now)
    mine = DetectorRun.objects.held_by(token).filter(pk__in=ids)
    return list(mine.select_related("detector", "project").order_by("id"))


def work(claimed: Sequence[DetectorRun], clock: Clock) -> None:
    """Bring claimed runs to their final state. Raises StoreUnavailable."""
    by_trace: dict[tuple[uuid.UUID, str], list[DetectorRun]] = {}
    for run in claimed:
        by_trace.setdefault((run.project_id, run.trace_id), []).append(run)
    ready = _call_spans(by_trace)
    superseded = _superseded(claimed)
    decided: list[Decided] = []
    for trace, together in by_trace.items():
        decided.extend(_decide(together, ready.get(trace), superseded, clock))
    conclusions.conclude(decided, clock)


def _call_spans(
    by_trace: Mapping[_Trace, Sequence[DetectorRun]],
) -> dict[_Trace, list[Span]]:
    """What checks need, of many traces at once; nothing where that is too large for one read."""
    wanted: dict[uuid.UUID, list[bytes]] = {}
    for (project_id, trace_id), together in by_trace.items():
        if all(run.detector.kind == Kind.CHECK for run in together):
            wanted.setdefault(project_id, []).append(bytes.fromhex(trace_id))
    found: dict[_Trace, list[Span]] = {}
    for project_id, trace_ids in wanted.items():
        try:
            spans = SpanReader(project_id).call_spans(trace_ids, limit=MAX_SPANS)
        except (QueryTooLarge, StoreRejected) as error:
            log.info("runs.read_one_by_one traces=%d reason=%s", len(trace_ids), error)
            continue
        found |= {(project_id, one.hex()): spans.get(one, []) for one in trace_ids}
    return found


def _decide(
    together: Sequence[DetectorRun],
    ready: list[Span] | None,
    superseded: Set[uuid.UUID],
    clock: Clock,
) -> Iterator[Decided]:
    first = together[0]
    try:
        spans = ready if ready is not None else _whole(first)
    except StoreUnavailable:
        raise
    except StoreError as error:
        for run in together:
            conclusions.fail(run, f"The trace could not be read: {error}", clock())
        return
    for run in together:
        verdict = _verdict(run, spans, run.pk in superseded, clock)
        if verdict is not None:
            named = {proof.span_id for _, proof in verdict.proofs()}
            yield Decided(run, verdict, tuple(span for span in spans if span.span_id in named))


def _whole(run: DetectorRun) -> list[Span]:
    return SpanReader(run.project_id).spans(bytes.fromhex(run.trace_id), limit=MAX_SPANS)


def _verdict(
    run: DetectorRun, spans: Sequence[Span], is_superseded: bool, clock: Clock
) -> Verdict | None:
    """None when the run has failed, which is written then."""
    if run.attempts > MAX_ATTEMPTS:
        reason = f"Given up after {MAX_ATTEMPTS} attempts that ended without a verdict."
        conclusions.fail(run, reason, clock())
        return None
    try:
        return _examine(run, spans, is_superseded)
    except JudgeFailed as error:
        conclusions.fail(run, str(error), clock(), Verdict("abstain", "", spent=error.spent))
    except Exception as error:
        # The stage's edge: one odd trace must not stop the others, and the page shows why.
        log.exception("runs.crashed run=%s detector=%s", run.pk, run.detector_id)
        conclusions.fail(
            run, f"The detector crashed: {type(error).__name__}: {error}"[:500], clock()
        )
    return None


def _examine(run: DetectorRun, spans: Sequence[Span], is_superseded: bool) -> Verdict:
    if not spans:
        return Verdict("skipped", "The trace has no spans any more.")
    if is_own(spans):
        return Verdict("skipped", "The trace was made by TraceRoot's own judge.")
    if is_superseded:
        return Verdict("superseded", "A later generation of the trace is judged instead.")
    verdict = _ask(run, spans)
    if len(spans) >= MAX_SPANS:
        verdict = replace(
            verdict, summary=f"{verdict.summary} (Only the first {MAX_SPANS:,} spans were read.)"
        )
    return verdict


def _ask(run: DetectorRun, spans: Sequence[Span]) -> Verdict:
    detector = run.detector
    if detector.kind == Kind.CHECK:
        check = BY_SLUG.get(detector.template)
        if check is None:
            raise JudgeFailed(f"This version of TraceRoot has no check named {detector.template}.")
        said = check.examine(spans, detector.config)
        verdict = verify(said, spans)
        if _stands(said, verdict):
            return verdict
        # A quote stands where the read for checks does not reach.
        return verify(said, _whole(run))
    configured = judge.configured()
    if configured is None:
        raise JudgeFailed("The judge model was taken out of the configuration.")
    leads = tuple(
        lead.summary
        for check in BY_SLUG.values()
        if (lead := check.examine(spans, {})).outcome == "fail"
    )
    return judge.examine(configured, spans, detector.prompt, leads)


def _stands(said: Verdict, verified: Verdict) -> bool:
    return sum(1 for _ in said.proofs()) == sum(1 for _ in verified.proofs())


def is_own(spans: Sequence[Span]) -> bool:
    return any(
        _OWN_SCOPE in span.scope_json or span.attributes.get(_OWN_ATTRIBUTE) is True
        for span in spans
    )


def _superseded(claimed: Sequence[DetectorRun]) -> frozenset[uuid.UUID]:
    """Those of whose trace a later generation is there to be judged."""
    those = DetectorRun.objects.filter(
        detector_id__in={run.detector_id for run in claimed},
        trace_id__in={run.trace_id for run in claimed},
    )
    newest = {
        (detector, trace): generation
        for detector, trace, generation in those.values_list("detector_id", "trace_id")
        .annotate(newest=Max("generation"))
        .order_by()
    }
    return frozenset(
        run.pk for run in claimed if newest.get((run.detector_id, run.trace_id), 0) > run.generation
    )


def _release(claimed: Sequence[DetectorRun], now: dt.datetime, reason: str) -> None:
    """Back to waiting; the attempt does not count, since the trace is not to blame."""
    mine = DetectorRun.objects.held_by(claimed[0].lease_owner)
    mine.filter(pk__in=[run.pk for run in claimed]).let_go(
        DetectorRun.State.PENDING,
        attempts=F("attempts") - 1,
        due_at=now + _STORE_PAUSE,
        error=reason,
    )
