"""Ingest health: what each key sent, what became of it, and what waits."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpResponseBase
from django.shortcuts import render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import ProjectRequest, project_view
from accounts.models import ApiKey
from traces.ingest import health
from traces.ingest.health import Intake, Reason
from traces.pages.failures import store_page

_HOUR = 3600
RANGES = {"1h": ("1 hour", _HOUR), "24h": ("24 hours", 24 * _HOUR), "7d": ("7 days", 168 * _HOUR)}
DEFAULT_RANGE = "24h"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key may be gone by now; its figures stay."""

    name: str
    masked: str
    intake: Intake


@dataclass(frozen=True, slots=True)
class ReasonRow:
    reason: Reason
    keys: tuple[str, ...]
    """By name."""


@project_view("traces.read")
@require_safe
@store_page
def ingest_health(request: ProjectRequest, project_id: UUID) -> HttpResponseBase:
    chosen = request.GET.get("range", DEFAULT_RANGE)
    chosen = chosen if chosen in RANGES else DEFAULT_RANGE
    title, seconds = RANGES[chosen]
    now_ns = time.time_ns()
    since_ns = now_ns - seconds * 1_000_000_000
    found = health.of(
        project_id,
        since_ns=since_ns,
        until_ns=now_ns,
        since=datetime.fromtimestamp(since_ns // 1_000_000_000, UTC),
    )
    known = ApiKey.objects.for_project(request.project).in_bulk(
        {*found.by_key, *(key_id for one in found.reasons for key_id in one.key_ids)}
    )
    url = reverse("traces:ingest_health", kwargs={"project_id": project_id})
    context = {
        "nav": "settings",
        "section": "ingest",
        "health": found,
        "rows": _rows(known, found.by_key),
        "reasons": [
            ReasonRow(one, tuple(_name(known, key_id) for key_id in one.key_ids))
            for one in found.reasons
        ],
        "refused_note": _refused(found.total.refused_requests),
        "range_title": title,
        "ranges": [
            (name, text, f"{url}?range={name}", name == chosen)
            for name, (text, _) in RANGES.items()
        ],
        "widest": chosen == list(RANGES)[-1],
        "start_url": reverse("traces:getting_started", kwargs={"project_id": project_id}),
        "widest_url": f"{url}?range={list(RANGES)[-1]}",
    }
    return render(request, "traces/ingest_health.html", context)


def _rows(known: Mapping[UUID, ApiKey], by_key: Mapping[UUID, Intake]) -> list[KeyRow]:
    return [
        KeyRow(_name(known, key_id), known[key_id].masked if key_id in known else "", intake)
        for key_id, intake in by_key.items()
    ]


def _refused(requests: int) -> str:
    return f"{intcomma(requests)} request{pluralize(requests)} refused"


def _name(known: Mapping[UUID, ApiKey], key_id: UUID) -> str:
    return known[key_id].name if key_id in known else "A key that was removed"
