"""Findings as the shared component shows them: verdict, claim, evidence with links to its spans."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from detectors.models import Evidence, Finding

_FIELD_WORDS = {
    "event": "exception",
    "attribute": "attributes",
    "calls": "counted",
    "status": "status",
}
_TILES = {"reranker": "retriever", "task": "chain", "span": "chain", "scorer": "evaluator"}


@dataclass(frozen=True, slots=True)
class Proof:
    """One evidence chip."""

    number: int
    kind: str
    label: str
    quote: str
    url: str
    verified: bool
    claim: str


@dataclass(frozen=True, slots=True)
class ClaimText:
    text: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """What `components/finding.html` reads, and what our pages add to it."""

    finding: Finding
    verdict: str
    title: str
    claim: str
    confidence: float
    note: str
    evidence: list[Proof]
    claims: list[ClaimText]
    url: str
    url_text: str
    trace_url: str
    confirm_url: str
    dismiss_url: str
    answer: str


def card(finding: Finding, *, may_act: bool) -> Card:
    project_id = finding.project_id
    proofs = [_proof(finding, evidence) for evidence in finding.evidence.all()]
    ours = {"project_id": project_id, "finding_id": finding.pk}
    status = finding.Status(finding.status)
    may_confirm = may_act and status != Finding.Status.CONFIRMED
    may_dismiss = may_act and status != Finding.Status.DISMISSED
    return Card(
        finding=finding,
        verdict="fail" if status != Finding.Status.DISMISSED else "ignored",
        title=finding.detector.name,
        claim=finding.summary,
        confidence=finding.confidence,
        note=_note(finding),
        evidence=proofs,
        claims=_claims(proofs),
        url=reverse("detectors:finding", kwargs=ours),
        url_text="Open the finding",
        trace_url=trace_url(finding, finding.span_id),
        confirm_url=reverse("detectors:confirm", kwargs=ours) if may_confirm else "",
        dismiss_url=reverse("detectors:dismiss", kwargs=ours) if may_dismiss else "",
        answer="" if status == Finding.Status.OPEN else status.label.lower(),
    )


def trace_url(finding: Finding, span_id: str = "") -> str:
    kwargs = {"project_id": finding.project_id, "trace_id": finding.trace_id}
    return reverse("traces:trace", kwargs=kwargs) + (f"?span={span_id}" if span_id else "")


def _note(finding: Finding) -> str:
    if finding.status == Finding.Status.DISMISSED and finding.decided_at is None:
        return finding.note
    if finding.decided_by is not None:
        return f"{finding.get_status_display()} by {finding.decided_by.get_short_name()}"
    return ""


def _proof(finding: Finding, evidence: Evidence) -> Proof:
    name = evidence.span_name or "trace"
    field = _FIELD_WORDS.get(evidence.field, evidence.field)
    return Proof(
        number=evidence.number,
        kind=_TILES.get(evidence.span_kind, evidence.span_kind),
        label=f"{name}, {field}",
        quote=evidence.text,
        url=trace_url(finding, evidence.span_id),
        verified=evidence.is_verified,
        claim=evidence.claim,
    )


def _claims(proofs: list[Proof]) -> list[ClaimText]:
    grouped: dict[str, list[int]] = {}
    for proof in proofs:
        grouped.setdefault(proof.claim, []).append(proof.number)
    return [ClaimText(text, tuple(numbers)) for text, numbers in grouped.items() if text]
