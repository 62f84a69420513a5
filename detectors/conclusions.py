"""Ends runs: verdicts and marks to the trace store, findings and final states to the database.

The trace store comes first, since a crash in between is repaired by the run's next attempt.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction

from detectors import findings, verdict_rows
from detectors.models import DetectorRun, Finding
from detectors.verdicts import Verdict
from traces.spans import Span

log = logging.getLogger(__name__)

Clock = Callable[[], dt.datetime]
_NO_VERDICT = ("skipped", "superseded")


@dataclass(frozen=True, slots=True)
class Decided:
    """A run with its verdict, and the spans that its proofs name."""

    run: DetectorRun
    verdict: Verdict
    spans: tuple[Span, ...]

    @property
    def key(self) -> tuple[uuid.UUID, str]:
        return self.run.detector_id, self.run.trace_id


def conclude(decided: Sequence[Decided], clock: Clock) -> None:
    """Write verdicts, findings and final states. Raises StoreUnavailable; the runs wait then."""
    counted = [each for each in decided if each.verdict.outcome not in _NO_VERDICT]
    verdict_rows.write([(each.run, each.verdict) for each in counted], clock())
    found = findings.of_runs([each.run for each in counted])
    findings.mark_traces([(each.run, each.verdict) for each in counted], found)
    rest = _finish_passes(decided, found, clock())
    rest = _open_new(rest, found, clock())
    for each in rest:
        try:
            _write(each, clock())
        except DatabaseError as error:
            log.exception("runs.not_written run=%s", each.run.pk)
            fail(each.run, f"The verdict could not be written: {error}"[:500], clock())


def _finish_passes(
    decided: Sequence[Decided], found: Mapping[tuple[uuid.UUID, str], Finding], now: dt.datetime
) -> list[Decided]:
    """Finish at once the runs that pass and have no finding to take back; returns the others."""
    rest: list[Decided] = []
    alike: dict[Verdict, list[DetectorRun]] = {}
    for each in decided:
        if each.verdict.outcome == "pass" and each.key not in found:
            alike.setdefault(each.verdict, []).append(each.run)
        else:
            rest.append(each)
    for verdict, together in alike.items():
        for owner, held in _by_owner(together).items():
            mine = DetectorRun.objects.held_by(owner).filter(pk__in=[run.pk for run in held])
            mine.let_go(DetectorRun.State.DONE, **_outcome(verdict, now), error="")
    passed = {(run.project_id, run.trace_id) for together in alike.values() for run in together}
    if passed:
        findings.announce_all(passed)
    return rest


def _open_new(
    decided: Sequence[Decided], found: Mapping[tuple[uuid.UUID, str], Finding], now: dt.datetime
) -> list[Decided]:
    """Open the findings of verdicts that fail, where there is none yet, in one transaction; returns
    the others, and all when the database refuses one."""
    new = {
        each.run.pk: each
        for each in decided
        if each.verdict.outcome == "fail" and each.key not in found
    }
    try:
        with transaction.atomic():
            mine = [
                each
                for each in new.values()
                if _finish(each.run, DetectorRun.State.DONE, each.verdict, now, error="")
            ]
            findings.open_new([(each.run, each.verdict, each.spans) for each in mine], now)
            findings.announce_all({(each.run.project_id, each.run.trace_id) for each in mine})
    except DatabaseError:
        log.exception("runs.not_written_together runs=%d", len(new))
        return list(decided)
    return [each for each in decided if each.run.pk not in new]


def _write(decided: Decided, now: dt.datetime) -> None:
    run, verdict = decided.run, decided.verdict
    with transaction.atomic():
        if not _finish(run, DetectorRun.State.DONE, verdict, now, error=""):
            return  # the lease ran out and another worker has it
        if verdict.outcome not in _NO_VERDICT:
            findings.open_(run, verdict, decided.spans, now)
        findings.announce(run.project_id, run.trace_id)


def fail(run: DetectorRun, reason: str, now: dt.datetime, verdict: Verdict | None = None) -> None:
    log.warning("runs.failed run=%s detector=%s reason=%s", run.pk, run.detector_id, reason)
    _finish(run, DetectorRun.State.FAILED, verdict or Verdict("abstain", ""), now, error=reason)


def _finish(
    run: DetectorRun, state: DetectorRun.State, verdict: Verdict, now: dt.datetime, *, error: str
) -> bool:
    is_done = state == DetectorRun.State.DONE
    undecided: dict[str, Any] = {} if is_done else {"outcome": "", "confidence": None}
    return bool(
        DetectorRun.objects.held_by(run.lease_owner)
        .filter(pk=run.pk)
        .let_go(state, **_outcome(verdict, now) | undecided, error=error.replace("\0", ""))
    )


def _by_owner(runs: Sequence[DetectorRun]) -> dict[str, list[DetectorRun]]:
    found: dict[str, list[DetectorRun]] = {}
    for run in runs:
        found.setdefault(run.lease_owner, []).append(run)
    return found


def _outcome(verdict: Verdict, now: dt.datetime) -> dict[str, Any]:
    return {
        "outcome": verdict.outcome,
        "confidence": verdict.confidence,
        "summary": verdict.summary.replace("\0", ""),
        "cost_usd": verdict.spent.cost_usd,
        "input_tokens": verdict.spent.input_tokens,
        "output_tokens": verdict.spent.output_tokens,
        "finished_at": now,
    }
