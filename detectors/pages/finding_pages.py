"""Findings: the list, one, those of a trace, and the two answers a person can give."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from accounts.access import ProjectRequest, project_view
from detectors import findings as findings_
from detectors.models import AlertDelivery, Detector, DetectorRun, Finding
from detectors.pages.cards import card
from traces.store.errors import StoreError, StoreUnavailable
from traces.store.reader import SpanReader

log = logging.getLogger(__name__)

PAGE_ROWS = 50
_NOT_CHANGED = (
    "The trace store cannot be reached, so nothing was changed. Try again in a few seconds."
)


@project_view("findings.read")
@require_safe
def findings(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    found = Finding.objects.for_project(request.project).with_proof().newest()
    status = request.GET.get("status", Finding.Status.OPEN)
    detector = request.GET.get("detector", "")
    if status in Finding.Status.values:
        found = found.filter(status=status)
    if _is_uuid(detector):
        found = found.filter(detector_id=uuid.UUID(detector))
    page = Paginator(found, PAGE_ROWS).get_page(request.GET.get("page"))
    context = {
        "nav": "findings",
        "cards": [card(finding, may_act=False) for finding in page],
        "page": page,
        "status": status,
        "detector": detector,
        "statuses": _statuses(request, status),
        "detectors": Detector.objects.for_project(request.project).by_name(),
        "newer_url": _page_url(request, page.previous_page_number()) if page.has_previous() else "",
        "older_url": _page_url(request, page.next_page_number()) if page.has_next() else "",
        "summary": f"{page.start_index()} to {page.end_index()} of {page.paginator.count:,}",
    }
    return render(request, "detectors/findings.html", context)


def _statuses(request: HttpRequest, current: str) -> list[dict[str, Any]]:
    choices = [*Finding.Status.choices, ("all", "All")]
    return [
        {"label": label, "url": "?" + _query(request, status=value), "is_current": value == current}
        for value, label in choices
    ]


def _page_url(request: HttpRequest, number: int) -> str:
    return "?" + _query(request, page=str(number))


def _query(request: HttpRequest, **changes: str) -> str:
    kept = {name: request.GET[name] for name in ("status", "detector") if request.GET.get(name)}
    return urlencode(kept | changes)


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


@project_view("findings.read")
@require_safe
def finding(request: ProjectRequest, project_id: uuid.UUID, finding_id: uuid.UUID) -> HttpResponse:
    found = _get(request, finding_id)
    alike = (
        Finding.objects.for_project(request.project)
        .filter(fingerprint=found.fingerprint)
        .exclude(pk=found.pk)
    )
    shown = card(found, may_act=request.membership.may("findings.act"))
    context = {
        "nav": "findings",
        "finding": found,
        "card": replace(shown, url=shown.trace_url, url_text="Open in the trace"),
        "may_debug": request.membership.may("debugging.start"),
        "deliveries": AlertDelivery.objects.for_project(request.project)
        .filter(finding=found)
        .newest(),
        "alike_count": alike.count(),
        "alike": [card(other, may_act=False) for other in alike.with_proof().newest()[:5]],
    }
    return render(request, "detectors/finding.html", context)


@project_view("findings.read")
@require_safe
def trace_findings(request: ProjectRequest, project_id: uuid.UUID, trace_id: bytes) -> HttpResponse:
    """For the trace page: findings, and the runs that are not through or gave no verdict."""
    hex_id = trace_id.hex()
    found = Finding.objects.for_project(request.project).of_trace(hex_id).with_proof().newest()
    runs = (
        DetectorRun.objects.for_project(request.project)
        .filter(trace_id=hex_id)
        .select_related("detector")
        .order_by("-generation", "detector__name", "id")
    )
    latest = {run.detector_id: run for run in reversed(runs)}
    may_act = request.membership.may("findings.act")
    shown = [card(each, may_act=may_act) for each in found]
    context = {
        "cards": [each for each in shown if each.answer != "dismissed"],
        "dismissed": [each for each in shown if each.answer == "dismissed"],
        "open_runs": [run for run in latest.values() if run.state in ("pending", "running")],
        "failed_runs": [run for run in latest.values() if run.state == "failed"],
        "abstained_runs": [run for run in latest.values() if run.outcome == "abstain"],
        "passed_runs": [
            *(run for run in latest.values() if run.outcome in ("pass", "warn")),
            *_passes(request.project.pk, trace_id, latest),
        ],
    }
    return render(request, "detectors/trace_findings.html", context)


@dataclass(frozen=True, slots=True)
class _Passed:
    """What the template reads of a run, of a check that passed the trace without one."""

    detector: Detector
    summary: str
    outcome: str = "pass"


def _passes(
    project_id: uuid.UUID, trace_id: bytes, runs: Mapping[uuid.UUID, DetectorRun]
) -> list[_Passed]:
    """Newer than the detector's run, if it has one; none while the trace store is away."""
    checks = Detector.objects.for_project(project_id).filter(kind=Detector.Kind.CHECK)
    by_id = {one.pk: one for one in checks.by_name()}
    if not by_id:
        return []
    try:
        found = SpanReader(project_id).passes_of(trace_id, list(by_id))
    except StoreError as error:
        log.warning("detectors.passes_not_read reason=%s", error)
        return []
    said = {one.detector_id: one for one in found}
    return [
        _Passed(by_id[pk], said[pk].summary)
        for pk in by_id
        if pk in said and (pk not in runs or runs[pk].generation < said[pk].generation)
    ]


@project_view("findings.act")
@require_POST
def confirm(request: ProjectRequest, project_id: uuid.UUID, finding_id: uuid.UUID) -> HttpResponse:
    def decide(found: Finding) -> None:
        findings_.confirm(found, by=request.user, now=timezone.now())

    return _answer(request, finding_id, decide)


@project_view("findings.act")
@require_POST
def dismiss(request: ProjectRequest, project_id: uuid.UUID, finding_id: uuid.UUID) -> HttpResponse:
    note = request.POST.get("note", "")

    def decide(found: Finding) -> None:
        findings_.dismiss(found, by=request.user, now=timezone.now(), note=note)

    return _answer(request, finding_id, decide)


def _answer(
    request: ProjectRequest, finding_id: uuid.UUID, decide: Callable[[Finding], None]
) -> HttpResponse:
    found = _get(request, finding_id)
    is_htmx = request.headers.get("HX-Request") == "true"
    try:
        decide(found)
    except StoreUnavailable:
        if is_htmx:
            return HttpResponse(_NOT_CHANGED, status=503, content_type="text/plain")
        messages.error(request, _NOT_CHANGED)
        return redirect("detectors:finding", project_id=request.project.pk, finding_id=finding_id)
    if not is_htmx:
        return redirect("detectors:finding", project_id=request.project.pk, finding_id=finding_id)
    context = {"card": card(_get(request, finding_id), may_act=True)}
    response = render(request, "detectors/finding_card.html", context)
    return trigger_client_event(response, "findings-changed")


def _get(request: ProjectRequest, finding_id: uuid.UUID) -> Finding:
    return get_object_or_404(
        Finding.objects.for_project(request.project).with_proof(), pk=finding_id
    )
