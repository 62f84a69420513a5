"""Detectors: the list, one with its recent verdicts, and the form that changes it."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Max, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import ProjectRequest, project_view
from detectors import defaults
from detectors.checks.registry import BY_SLUG
from detectors.forms import DetectorForm
from detectors.models import Detector, DetectorRun, Finding
from detectors.pages import instructions
from detectors.readiness import why_off
from traces.store.errors import StoreError
from traces.store.reader import SpanReader
from traces.store.reads.verdicts import PassedCount

log = logging.getLogger(__name__)

DAYS = 7
PAGE_ROWS = 50
_FILTERS = {
    "all": ("All", Q()),
    "fail": ("Fail", Q(outcome="fail")),
    "abstain": ("Abstain", Q(outcome="abstain")),
    "error": ("Error", Q(state="failed")),
    "pending": ("Pending", Q(state__in=["pending", "running"])),
}


@dataclass(frozen=True, slots=True)
class Row:
    detector: Detector
    why_off: str
    looks_for: str
    runs: int
    findings: int
    errors: int
    pending: int
    last_run_at: dt.datetime | None
    passed_at_once: int
    """Of `runs`: traces that a check passed without reading them whole."""


@project_view("detectors.read")
@require_safe
def list_(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    defaults.ensure(request.project)
    detectors = Detector.objects.for_project(request.project).by_name()
    context = {"nav": "detectors", "rows": _rows(list(detectors), timezone.now()), "days": DAYS}
    return render(request, "detectors/list.html", context)


def _rows(detectors: list[Detector], now: dt.datetime) -> list[Row]:
    since = now - dt.timedelta(days=DAYS)
    ids = [detector.pk for detector in detectors]
    counts: dict[uuid.UUID, dict[str, Any]] = {
        row["detector"]: dict(row)
        for row in DetectorRun.objects.filter(detector__in=ids)
        .values("detector")
        .annotate(
            runs=Count("id", filter=Q(created_at__gte=since)),
            errors=Count("id", filter=Q(created_at__gte=since, state="failed")),
            pending=Count("id", filter=Q(state__in=["pending", "running"])),
            last=Max("finished_at"),
        )
        .order_by()
    }
    found = dict(
        Finding.objects.filter(detector__in=ids, created_at__gte=since)
        .values_list("detector")
        .annotate(Count("id"))
        .order_by()
    )
    passed = _passed_at_once(detectors, since)
    nothing: dict[str, Any] = {"runs": 0, "errors": 0, "pending": 0, "last": None}
    return [
        Row(
            detector=detector,
            why_off=why_off(detector),
            looks_for=looks_for(detector),
            runs=counts.get(detector.pk, nothing)["runs"] + _traces(passed.get(detector.pk)),
            findings=found.get(detector.pk, 0),
            errors=counts.get(detector.pk, nothing)["errors"],
            pending=counts.get(detector.pk, nothing)["pending"],
            last_run_at=_later(counts.get(detector.pk, nothing)["last"], passed.get(detector.pk)),
            passed_at_once=_traces(passed.get(detector.pk)),
        )
        for detector in detectors
    ]


def _passed_at_once(detectors: list[Detector], since: dt.datetime) -> dict[uuid.UUID, PassedCount]:
    """Traces that checks passed without a run; none while the trace store is away."""
    if not any(detector.kind == Detector.Kind.CHECK for detector in detectors):
        return {}
    try:
        return SpanReader(detectors[0].project_id).passed_at_once(since)
    except StoreError as error:
        log.warning("detectors.passes_not_read reason=%s", error)
        return {}


def _traces(passed: PassedCount | None) -> int:
    return passed.traces if passed is not None else 0


def _later(run_at: dt.datetime | None, passed: PassedCount | None) -> dt.datetime | None:
    if run_at is None or passed is None:
        return run_at or (passed.last if passed is not None else None)
    return max(run_at, passed.last)


def looks_for(detector: Detector) -> str:
    check = BY_SLUG.get(detector.template)
    return check.looks_for if check is not None else detector.prompt


@project_view("detectors.read")
@require_safe
def detail(request: ProjectRequest, project_id: uuid.UUID, detector_id: uuid.UUID) -> HttpResponse:
    detector = _get(request, detector_id)
    wanted = request.GET.get("verdict", "all")
    if wanted not in _FILTERS:
        wanted = "all"
    runs = (
        DetectorRun.objects.for_project(request.project)
        .filter(_FILTERS[wanted][1], detector=detector)
        .newest()
    )
    page = Paginator(runs, PAGE_ROWS).get_page(request.GET.get("page"))
    context = {
        "nav": "detectors",
        "detector": detector,
        "row": _rows([detector], timezone.now())[0],
        "days": DAYS,
        "looks_for": instructions.paragraphs(looks_for(detector)),
        "page": page,
        "verdicts": [
            {"label": label, "url": f"?verdict={name}", "is_current": name == wanted}
            for name, (label, _) in _FILTERS.items()
        ],
        "newer_url": _page_url(wanted, page.previous_page_number()) if page.has_previous() else "",
        "older_url": _page_url(wanted, page.next_page_number()) if page.has_next() else "",
        "summary": f"{page.start_index()} to {page.end_index()} of {page.paginator.count:,}",
        "may_change": request.membership.may("detectors.change"),
    }
    return render(request, "detectors/detail.html", context)


def _page_url(verdict: str, number: int) -> str:
    return f"?verdict={verdict}&page={number}"


@project_view("detectors.change")
@require_http_methods(["GET", "POST"])
def edit(request: ProjectRequest, project_id: uuid.UUID, detector_id: uuid.UUID) -> HttpResponse:
    detector = _get(request, detector_id)
    form = DetectorForm(request.POST or None, instance=detector)
    if request.method == "POST" and form.is_valid():
        detector = form.save(commit=False)
        detector.changed_at = timezone.now()
        detector.save()
        messages.success(request, f"{detector.name} is saved as version {detector.version}.")
        return redirect("detectors:detail", project_id=project_id, detector_id=detector_id)
    status = 422 if request.method == "POST" else 200
    context = {"nav": "detectors", "detector": detector, "form": form, "why_off": why_off(detector)}
    return render(request, "detectors/edit.html", context, status=status)


def _get(request: ProjectRequest, detector_id: uuid.UUID) -> Detector:
    return get_object_or_404(Detector.objects.for_project(request.project), pk=detector_id)
