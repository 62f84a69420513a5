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
from traces.store.filters import ERROR_TEXT_DAYS, TraceFilter
from traces.store.reader import BadCursor, SpanReader

PAGE_SIZE = 50
_TRACE_ID = re.compile(r"[0-9a-fA-F]{32}")
RANGES = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "90d": ("Last 90 days", timedelta(days=90)),
    "all": ("All time", None),
}
VIEWS = (
    ("", "All"),
    ("error", "Errors"),
    ("finding", "With findings"),
    ("running", "Running"),
    ("evaluation", "Evaluations"),
)
"""Evaluation runs are in their own view and in no other."""


SEARCH_HELP = (
    'Every word must occur, "in quotes" as a phrase: in the name, the start of input and output,'
    " status and exception messages, findings, session, user or trace id."
    f" Messages of errors are searched {ERROR_TEXT_DAYS} days back, or as far as a chosen range."
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
            only_evaluations=self.view == "evaluation",
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
    def conditions(self) -> list[str]:
        """What the list is narrowed to, in words."""
        named = {
            "the search": self.text,
            f"the view “{dict(VIEWS)[self.view]}”": self.view,
            "this session": self.session_id,
            "this user": self.user_id,
            f"the time range “{RANGES[self.range][0]}”": self.range != "all",
        }
        return [name for name, is_set in named.items() if is_set]

    @property
    def is_filtered(self) -> bool:
        return bool(self.conditions)


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
        "search_help": SEARCH_HELP,
        "empty": {} if page.rows else _empty(request, state, reader),
    }
    return render(request, "traces/list.html", context)


def _empty(request: ProjectRequest, state: ListState, reader: SpanReader) -> dict[str, str]:
    """Why no row is shown, and the nearest thing that is there."""
    everything = {"action_url": request.path, "action_text": "Show all traces"}
    if state.cursor:
        title, text = "No older traces", "The list ends here."
        newest = {"action_url": state.query() or request.path, "action_text": "Back to the newest"}
        return {"icon": "search-x", "title": title, "text": text, **newest}
    if state.is_filtered:
        text = "Nothing that has arrived fits " + _listed(state.conditions) + "."
        if state.text:
            text += f" {SEARCH_HELP}"
        return {"icon": "search-x", "title": "No trace matches", "text": text, **everything}
    start = reverse("traces:getting_started", kwargs={"project_id": request.project.id})
    send = {"action_url": start, "action_text": "Send the first trace"}
    text = "The first run shows up here a second after its spans arrive."
    if reader.traces(TraceFilter(include_evaluations=True), limit=1).rows:
        text = "What has arrived so far are evaluation runs, which have a view of their own."
        send = {
            "action_url": state.query(view="evaluation"),
            "action_text": "Show the evaluations",
        }
    return {"icon": "list-tree", "title": "No traces yet", "text": text, **send}


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _redirect_to_trace(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Links of the published clients: `…/traces?traceId=…`."""
    trace_id = request.GET["traceId"]
    url = reverse("traces:trace", kwargs={"project_id": project_id, "trace_id": trace_id})
    span = request.GET.get("spanId", request.GET.get("span", ""))
    return redirect(f"{url}?{urlencode({'span': span})}" if span else url)
