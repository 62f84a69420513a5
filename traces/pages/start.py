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
from traces import first_trace
from traces.pages.failures import store_page
from traces.store.filters import TraceFilter
from traces.store.reader import SpanReader


@project_view("traces.read")
@store_page
def getting_started(request: ProjectRequest, project_id: UUID) -> HttpResponseBase:
    keys = ApiKey.objects.for_project(request.project).order_by("-created_at", "id")
    url = otlp_url(request)
    context = {
        "nav": "getting_started",
        "key": keys.filter(revoked_at=None).first(),
        "had_keys": keys.exists(),
        "key_to_fill_in": first_trace.KEY_TO_FILL_IN,
        "sdk_snippet": first_trace.with_sdk(settings.PUBLIC_URL),
        "opentelemetry_snippet": first_trace.with_opentelemetry(url),
        "curl_snippet": first_trace.with_curl(url),
        "otlp_url": url,
        **_arrival(project_id),
    }
    return render(request, "traces/getting_started.html", context)


@project_view("traces.read")
@store_page
def arrival(request: ProjectRequest, project_id: UUID) -> HttpResponseBase:
    """The part of the page that waits; it says so when the first trace is here."""
    return render(request, "traces/arrival.html", _arrival(project_id))


def otlp_url(request: ProjectRequest) -> str:
    """On loopback the receiver's port under the name that the browser uses; else the public one."""
    if not settings.TRACEROOT_IS_LOOPBACK:
        return str(settings.PUBLIC_URL)
    host = urlsplit(f"//{request.get_host()}").hostname or "localhost"
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{settings.OTLP_PORT}"


def _arrival(project_id: UUID) -> dict[str, object]:
    reader = SpanReader(project_id)
    trace, is_first = None, False
    if reader.has_spans():
        newest = reader.traces(TraceFilter(include_evaluations=True), limit=2).rows
        trace, is_first = (newest[0], len(newest) == 1) if newest else (None, False)
    url = (
        reverse("traces:trace", kwargs={"project_id": project_id, "trace_id": trace.trace_id})
        if trace
        else ""
    )
    return {"newest_trace": trace, "newest_trace_url": url, "is_first": is_first}
