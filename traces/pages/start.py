"""Getting started: a key, a snippet, and the first span as it arrives."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from accounts.access import ProjectRequest, project_view
from accounts.models import ApiKey
from traces.pages.failures import store_page
from traces.store.filters import TraceFilter
from traces.store.reader import SpanReader


@project_view("traces.read")
@store_page
def getting_started(request: ProjectRequest, project_id: UUID) -> HttpResponseBase:
    key = (
        ApiKey.objects.for_project(request.project)
        .filter(revoked_at=None)
        .order_by("-created_at", "id")
        .first()
    )
    host = urlsplit(f"//{request.get_host()}").hostname or "localhost"
    host = f"[{host}]" if ":" in host else host
    context = {
        "nav": "getting_started",
        "key": key,
        "otlp_url": f"http://{host}:{settings.OTLP_PORT}"
        if settings.TRACEROOT_IS_LOOPBACK
        else settings.PUBLIC_URL,
        **_arrival(project_id),
    }
    return render(request, "traces/getting_started.html", context)


@project_view("traces.read")
@store_page
def arrival(request: ProjectRequest, project_id: UUID) -> HttpResponseBase:
    """The part of the page that waits; it says so when the first trace is here."""
    return render(request, "traces/arrival.html", _arrival(project_id))


def _arrival(project_id: UUID) -> dict[str, object]:
    reader = SpanReader(project_id)
    trace = None
    if reader.has_spans():
        newest = reader.traces(TraceFilter(include_evaluations=True), limit=1).rows
        trace = newest[0] if newest else None
    url = (
        reverse("traces:trace", kwargs={"project_id": project_id, "trace_id": trace.trace_id})
        if trace
        else ""
    )
    return {"first_trace": trace, "first_trace_url": url}
