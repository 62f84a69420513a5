"""Debugging sessions: list, one session live, start, stop, and those of a trace."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import ProjectRequest, project_view
from debugging import outcomes, report_page, sessions
from debugging.models import DebuggingSession, Repository, Step
from traces.store.errors import StoreError

PAGE_SIZE = 50
TRACE_SESSIONS = 3


@project_view("debugging.read")
@require_safe
def list_(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    found = DebuggingSession.objects.for_project(request.project).newest()
    page = Paginator(found.select_related("started_by").defer("report"), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {
        "nav": "debugging",
        "page": page,
        "count_text": _count(page.paginator.count),
        "newer_url": f"?page={page.previous_page_number()}" if page.has_previous() else "",
        "older_url": f"?page={page.next_page_number()}" if page.has_next() else "",
        "has_repository": Repository.objects.for_project(request.project).exists(),
    }
    return render(request, "debugging/list.html", context)


@project_view("debugging.read")
@require_safe
def session(request: ProjectRequest, project_id: uuid.UUID, session_id: uuid.UUID) -> HttpResponse:
    context = _session_context(request, _find(request, session_id))
    return render(request, "debugging/session.html", context)


@project_view("debugging.read")
@require_safe
def session_steps(
    request: ProjectRequest, project_id: uuid.UUID, session_id: uuid.UUID
) -> HttpResponse:
    """What of the session page changes while it runs; 204 when `?seen=` names what is shown."""
    context = _session_context(request, _find(request, session_id))
    if request.GET.get("seen") == context["version"]:
        return HttpResponse(status=204)
    return render(request, "debugging/session_live.html", context)


@project_view("debugging.start")
@require_POST
def start(request: ProjectRequest, project_id: uuid.UUID, trace_id: bytes) -> HttpResponse:
    try:
        started = sessions.start(request.project, trace_id, request.user)
    except sessions.NoSuchTrace as error:
        raise Http404(str(error)) from error
    except StoreError:
        messages.error(request, "The trace store cannot be reached. Try again in a few seconds.")
        return _go(request, "traces:trace", trace_id=trace_id.hex())
    return _go(request, "debugging:session", session_id=started.pk)


@project_view("debugging.start")
@require_POST
def cancel(request: ProjectRequest, project_id: uuid.UUID, session_id: uuid.UUID) -> HttpResponse:
    found = _find(request, session_id)
    if not sessions.cancel(found, request.user, timezone.now()):
        messages.info(request, "The session had ended before it could be stopped.")
    return _go(request, "debugging:session", session_id=found.pk)


@project_view("debugging.read")
@require_safe
def trace_sessions(request: ProjectRequest, project_id: uuid.UUID, trace_id: bytes) -> HttpResponse:
    """The fragment that the trace page takes in."""
    found = DebuggingSession.objects.for_project(request.project).of_trace(trace_id.hex())
    context = {
        "sessions": found.newest().defer("report")[:TRACE_SESSIONS],
    }
    return render(request, "debugging/trace_sessions.html", context)


def _session_context(request: ProjectRequest, found: DebuggingSession) -> dict[str, Any]:
    steps = list(Step.objects.filter(session=found))
    outcome = outcomes.from_text(found.report)
    done = sum(step.duration_ms is not None for step in steps)
    return {
        "nav": "debugging",
        "session": found,
        "steps": steps,
        "version": f"{found.state}-{found.attempts}-{len(steps)}-{done}",
        "report": report_page.build(outcome, found.project_id, found.trace_id) if outcome else None,
        "may_start": request.membership.may("debugging.start"),
        "may_manage": request.membership.may("repositories.manage"),
    }


def _count(number: int) -> str:
    return "1 session" if number == 1 else f"{number:,} sessions"


def _find(request: ProjectRequest, session_id: uuid.UUID) -> DebuggingSession:
    found = DebuggingSession.objects.for_project(request.project)
    return get_object_or_404(found.select_related("started_by", "stopped_by"), pk=session_id)


def _go(request: ProjectRequest, name: str, **kwargs: object) -> HttpResponse:
    url = reverse(name, kwargs={"project_id": request.project.pk, **kwargs})
    if request.headers.get("HX-Request") == "true":
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url)
