"""From verdict to finding, and what people decide about it.

A finding is one per detector and trace: a later generation updates it, and takes it back when it
passes. What a person decided stays.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from django.db import transaction

from accounts.models import User
from detectors import alerts
from detectors.fingerprints import fingerprint
from detectors.models import DetectorRun, Evidence, Finding
from detectors.verdicts import Verdict
from traces import live
from traces.spans import Span
from traces.store import marks

MARK = "finding"
WITHDRAWN = "A later part of the trace made it good."


def of_runs(runs: Sequence[DetectorRun]) -> dict[tuple[uuid.UUID, str], Finding]:
    """Findings of the runs' detectors on their traces, by both."""
    found = Finding.objects.filter(
        detector__in={run.detector_id for run in runs}, trace_id__in={run.trace_id for run in runs}
    )
    return {(one.detector_id, one.trace_id): one for one in found}


def mark_traces(
    decided: Sequence[tuple[DetectorRun, Verdict]],
    existing: Mapping[tuple[uuid.UUID, str], Finding],
) -> None:
    """Say in the trace store what `open_` will write. Called first, since a crash in between is
    repaired by the run's next attempt. Raises StoreUnavailable."""
    said: list[marks.Mark] = []
    for run, verdict in decided:
        said += _marks(run, verdict, existing.get((run.detector_id, run.trace_id)))
    marks.write(said)


def _marks(run: DetectorRun, verdict: Verdict, existing: Finding | None) -> Iterator[marks.Mark]:
    if existing is not None and existing.generation > run.generation:
        return
    about = marks.Mark(
        run.project_id, bytes.fromhex(run.trace_id), name=MARK, source_id=str(run.detector_id)
    )
    is_decided = existing is not None and existing.decided_at is not None
    if verdict.outcome == "fail" and not (
        is_decided and existing and existing.status == Finding.Status.DISMISSED
    ):
        yield replace(
            about,
            span_id=verdict.span_id,
            label=run.detector.name,
            level=run.detector.severity,
            value=verdict.confidence,
        )
        moved = existing is not None and existing.span_id != verdict.span_id.hex()
    else:
        moved = existing is not None and verdict.outcome == "pass" and not is_decided
    if existing is not None and moved:
        yield replace(about, span_id=bytes.fromhex(existing.span_id), is_removed=True)


def open_(
    run: DetectorRun, verdict: Verdict, spans: Sequence[Span], now: dt.datetime
) -> Finding | None:
    """Write what the verdict means for the finding of this detector and trace, and whom to tell.

    In the caller's transaction. Returns the finding when there is one after it that is not
    dismissed.
    """
    existing = Finding.objects.filter(detector=run.detector, trace_id=run.trace_id).first()
    if existing is not None and existing.generation > run.generation:
        return existing
    if verdict.outcome != "fail":
        if existing is not None and verdict.outcome == "pass":
            _withdraw(existing, run, now)
        return None
    finding = existing or _new(run, now)
    _describe(finding, run, verdict, now)
    finding.save()
    finding.evidence.all().delete()
    Evidence.objects.bulk_create(_evidence(finding, verdict, spans))
    if finding.status == Finding.Status.OPEN:
        alerts.enqueue(finding, now)
    return finding


def open_new(
    failed: Sequence[tuple[DetectorRun, Verdict, Sequence[Span]]], now: dt.datetime
) -> None:
    """As `open_`, of verdicts that fail where there is no finding yet."""
    opened: list[Finding] = []
    proofs: list[Evidence] = []
    for run, verdict, spans in failed:
        finding = _new(run, now)
        _describe(finding, run, verdict, now)
        opened.append(finding)
        proofs += _evidence(finding, verdict, spans)
    Finding.objects.bulk_create(opened, batch_size=200)
    Evidence.objects.bulk_create(proofs, batch_size=200)
    alerts.enqueue_all(opened, now)


def _new(run: DetectorRun, now: dt.datetime) -> Finding:
    return Finding(
        project_id=run.project_id, detector=run.detector, trace_id=run.trace_id, created_at=now
    )


def _describe(finding: Finding, run: DetectorRun, verdict: Verdict, now: dt.datetime) -> None:
    finding.run = run
    finding.generation = run.generation
    finding.span_id = verdict.span_id.hex()
    finding.summary = _clean(verdict.summary)
    finding.confidence = verdict.confidence
    finding.severity = run.detector.severity
    finding.category = run.detector.category
    finding.fingerprint = fingerprint(run.detector.template, verdict.fingerprint_parts)
    finding.updated_at = now
    if finding.decided_at is None:
        finding.status = Finding.Status.OPEN
        finding.note = ""


def _withdraw(finding: Finding, run: DetectorRun, now: dt.datetime) -> None:
    if finding.decided_at is not None:
        return
    finding.status = Finding.Status.DISMISSED
    finding.note = WITHDRAWN
    finding.generation = run.generation
    finding.updated_at = now
    finding.save()


def _evidence(finding: Finding, verdict: Verdict, spans: Sequence[Span]) -> list[Evidence]:
    by_id = {span.span_id: span for span in spans}
    rows = []
    for number, (claim, proof) in enumerate(verdict.proofs(), 1):
        span = by_id.get(proof.span_id)
        rows.append(
            Evidence(
                project_id=finding.project_id,
                finding=finding,
                number=number,
                kind=proof.kind,
                claim=_clean(claim.text),
                span_id=proof.span_id.hex(),
                span_name=_clean((span.tool_name or span.name)[:200]) if span else "",
                span_kind=span.kind if span else "",
                field=_clean(proof.field[:200]),
                text=_clean(proof.text),
                is_verified=proof.is_verified,
            )
        )
    return rows


def _clean(text: str) -> str:
    """PostgreSQL refuses U+0000 and lone surrogates in text; traces may hold both."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def confirm(finding: Finding, *, by: User, now: dt.datetime) -> Finding:
    """A person says that it is true. Raises StoreUnavailable; nothing is changed then."""
    _mark_again(finding)
    return _decide(finding, Finding.Status.CONFIRMED, by, "", now)


def dismiss(finding: Finding, *, by: User, now: dt.datetime, note: str = "") -> Finding:
    """A person says that it is a false alarm. Raises StoreUnavailable; nothing is changed then."""
    marks.unmark(
        finding.project_id,
        bytes.fromhex(finding.trace_id),
        span_id=bytes.fromhex(finding.span_id),
        name=MARK,
        source_id=str(finding.detector_id),
    )
    return _decide(finding, Finding.Status.DISMISSED, by, note, now)


def _mark_again(finding: Finding) -> None:
    marks.mark(
        finding.project_id,
        bytes.fromhex(finding.trace_id),
        span_id=bytes.fromhex(finding.span_id),
        name=MARK,
        source_id=str(finding.detector_id),
        label=finding.detector.name,
        level=finding.severity,
        value=finding.confidence,
    )


def _decide(
    finding: Finding, status: Finding.Status, by: User, note: str, now: dt.datetime
) -> Finding:
    with transaction.atomic():
        finding.status = status
        finding.decided_by = by
        finding.decided_at = now
        finding.updated_at = now
        finding.note = _clean(note)[:200]
        finding.save(update_fields=["status", "decided_by", "decided_at", "updated_at", "note"])
        announce(finding.project_id, finding.trace_id)
    return finding


def announce(project_id: uuid.UUID, trace_id: str) -> None:
    """Tell watchers once it is committed: the list of findings, and the page of the trace."""
    announce_all({(project_id, trace_id)})


def announce_all(traces: Collection[tuple[uuid.UUID, str]]) -> None:
    """As `announce`, of several traces at once."""
    notices: list[tuple[uuid.UUID, live.Notice]] = [
        (project_id, {"type": type_, "trace_id": trace_id})
        for project_id, trace_id in sorted(traces)
        for type_ in ("findings", "trace")
    ]
    transaction.on_commit(lambda: live.notify_all(notices))


def count_open(project_id: uuid.UUID) -> int:
    """For the sidebar."""
    return Finding.objects.for_project(project_id).open().count()
