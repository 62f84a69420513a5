"""The trace list and its state in the URL: text, status, time range, cursor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from accounts.access import ProjectRequest, project_view
from traces.pages.failures import store_page
from traces.store.filters import TraceFilter
from traces.store.reader import BadCursor, SpanReader

PAGE_SIZE = 50
_TRACE_ID = re.compile(r"[0-9a-fA-F]{32}")
RANGES = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "all": ("All time", None),
}
VIEWS = (
    ("", "All"),
    ("error", "Errors"),
    ("finding", "With findings"),
    ("running", "Running"),
)


@dataclass(frozen=True, slots=True)
class ListState:
    """What the URL says."""

    text: str
    view: str
    range: str
    session_id: str
    user_id: str
    cursor: str

    @classmethod
    def of(cls, request: HttpRequest) -> ListState:
        get = request.GET.get
        view = get("view", "")
        return cls(
            text=get("q", "").strip()[:500],
            view=view if view in {name for name, _ in VIEWS} else "",
            range=get("range", "") if get("range", "") in RANGES else "all",
            session_id=get("session", "")[:500],
            user_id=get("user", "")[:500],
            cursor=get("cursor", "")[:500],
        )

    def filter(self) -> TraceFilter:
        span = RANGES[self.range][1]
        return TraceFilter(
            since=timezone.now() - span if span else None,
            text=self.text,
            status=self.view if self.view in {"error", "running"} else "",
            has_finding=True if self.view == "finding" else None,
            session_id=self.session_id,
            user_id=self.user_id,
        )

    def query(self, **changes: str) -> str:
        """The query string of this state with changes; a changed filter starts from the newest."""
        now = {
            "q": self.text,
            "view": self.view,
            "range": "" if self.range == "all" else self.range,
            "session": self.session_id,
            "user": self.user_id,
            **changes,
        }
        return "?" + urlencode({name: value for name, value in now.items() if value})

    @property
    def is_filtered(self) -> bool:
        return bool(
            self.text or self.view or self.session_id or self.user_id or self.range != "all"
        )


@project_view("traces.read")
@store_page
def trace_list(request: ProjectRequest, project_id: UUID) -> HttpResponseBase:
    if _TRACE_ID.fullmatch(request.GET.get("traceId", "")):
        return _redirect_to_trace(request, project_id)
    state = ListState.of(request)
    reader = SpanReader(project_id)
    try:
        page = reader.traces(state.filter(), limit=PAGE_SIZE, cursor=state.cursor)
    except BadCursor:
        return redirect(request.path + state.query())
    if not page.rows and not state.is_filtered and not reader.has_spans():
        return redirect("traces:getting_started", project_id=project_id)
    context: dict[str, Any] = {
        "nav": "traces",
        "state": state,
        "traces": page.rows,
        "older_url": state.query(cursor=page.next_cursor) if page.next_cursor else "",
        "newest_url": state.query() if state.cursor else "",
        "views": [
            (name, title, state.query(view=name), name == state.view) for name, title in VIEWS
        ],
        "ranges": [
            (name, title, state.query(range=name), name == state.range)
            for name, (title, _) in RANGES.items()
        ],
        "range_title": RANGES[state.range][0],
        "slowest_ns": max((row.duration_ns for row in page.rows), default=0) or 1,
        "clear_url": request.path,
    }
    return render(request, "traces/list.html", context)


def _redirect_to_trace(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Links of the published clients: `…/traces?traceId=…`."""
    trace_id = request.GET["traceId"]
    url = reverse("traces:trace", kwargs={"project_id": project_id, "trace_id": trace_id})
    span = request.GET.get("spanId", request.GET.get("span", ""))
    return redirect(f"{url}?{urlencode({'span': span})}" if span else url)
