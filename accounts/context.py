"""What the sidebar of every page shows: the project, those to switch to, and figures.

Everything is lazy, since fragments and API answers never draw a sidebar. Upper apps count their own
things: NAVIGATION_COUNTS names a callable (project id) -> int for each figure.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

from accounts.models import Project


class NavigationCounts(Mapping[str, int]):
    """Counts when asked, once each."""

    def __init__(self, project_id: uuid.UUID | None, counters: Mapping[str, str]) -> None:
        self._project_id = project_id
        self._counters = counters
        self._counted: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        path = self._counters[name]
        if self._project_id is None:
            return 0
        if name not in self._counted:
            self._counted[name] = int(import_string(path)(self._project_id))
        return self._counted[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counters)

    def __len__(self) -> int:
        return len(self._counters)


def navigation(request: HttpRequest) -> dict[str, Any]:
    project: Project | None = getattr(request, "project", None)
    return {
        "project": project,
        "membership": getattr(request, "membership", None),
        "nav_projects": SimpleLazyObject(lambda: _projects_of(request)),
        "nav_counts": NavigationCounts(
            project.id if project else None, getattr(settings, "NAVIGATION_COUNTS", {})
        ),
    }


def _projects_of(request: HttpRequest) -> list[Project]:
    user = getattr(request, "user", None)  # absent when a middleware before it failed
    if user is None or not user.is_authenticated:
        return []
    return list(Project.objects.of_user(user))
