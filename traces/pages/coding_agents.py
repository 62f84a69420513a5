"""What coding agents counted in metrics: tokens and cost by model and by user."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.http import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import ProjectRequest, project_view
from traces import first_trace
from traces.pages.failures import store_page
from traces.pages.start import otlp_url
from traces.store.reader import SpanReader
from traces.store.reads.agent_usage import MAX_LINES, AgentFigures

RANGES = {"24h": ("24 hours", 1), "7d": ("7 days", 7), "30d": ("30 days", 30)}
DEFAULT_RANGE = "7d"
_NAMES = {"claude_code": "Claude Code", "codex": "Codex", "gemini_cli": "Gemini CLI"}


@dataclass(frozen=True, slots=True)
class Line:
    agent: str
    figures: AgentFigures


@dataclass(frozen=True, slots=True)
class Total:
    input: int
    cached: int
    output: int
    cost_usd: Decimal | None


@project_view("traces.read")
@require_safe
@store_page
def coding_agents(request: ProjectRequest, project_id: UUID) -> HttpResponseBase:
    chosen = request.GET.get("range", DEFAULT_RANGE)
    chosen = chosen if chosen in RANGES else DEFAULT_RANGE
    title, days = RANGES[chosen]
    until = timezone.now()
    since = until - timedelta(days=days)
    reader = SpanReader(project_id)
    by_model = reader.agent_usage(since, until)
    by_user = reader.agent_usage(since, until, by="user") if by_model else []
    url = reverse("traces:coding_agents", kwargs={"project_id": project_id})
    address = otlp_url(request)
    context = {
        "nav": "settings",
        "section": "coding_agents",
        "range_title": title,
        "ranges": [
            (name, text, f"{url}?range={name}", name == chosen)
            for name, (text, _) in RANGES.items()
        ],
        "total": _total(by_model),
        "tables": [
            ("Model", "by-model", _lines(by_model)),
            ("User", "by-user", _lines(by_user)),
        ],
        "most": MAX_LINES,
        "is_cut": max(len(by_model), len(by_user)) == MAX_LINES,
        "otlp_url": address,
        "snippet": first_trace.with_claude_code(address),
        "key_to_fill_in": first_trace.KEY_TO_FILL_IN,
    }
    return render(request, "traces/coding_agents.html", context)


def _lines(found: Iterable[AgentFigures]) -> list[Line]:
    return [Line(_NAMES.get(one.agent, one.agent), one) for one in found]


def _total(found: Iterable[AgentFigures]) -> Total:
    rows = list(found)
    costs = [row.cost_usd for row in rows if row.cost_usd is not None]
    return Total(
        input=sum(row.usage.input for row in rows),
        cached=sum(row.usage.cache_read for row in rows),
        output=sum(row.usage.output for row in rows),
        cost_usd=sum(costs, Decimal()) if costs else None,
    )
