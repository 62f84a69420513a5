"""Stages above that keep rows, files or copies of a trace: they are told what to delete.

`TRACE_HOLDERS` in the settings names their modules; nothing here knows what they keep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Protocol, cast
from uuid import UUID

from django.conf import settings


class Holder(Protocol):
    """A module with these functions. Each may be called again, and returns how many rows and files
    are gone by name."""

    def erase_traces(self, project_id: UUID, trace_ids: Sequence[str]) -> dict[str, int]: ...

    def erase_project(self, project_id: UUID) -> dict[str, int]: ...


@cache
def _all() -> tuple[Holder, ...]:
    return tuple(cast(Holder, import_module(name)) for name in settings.TRACE_HOLDERS)


def erase_traces(project_id: UUID, trace_ids: Sequence[str]) -> Counter[str]:
    gone: Counter[str] = Counter()
    for holder in _all():
        gone.update(holder.erase_traces(project_id, trace_ids))
    return gone


def erase_project(project_id: UUID) -> Counter[str]:
    gone: Counter[str] = Counter()
    for holder in _all():
        gone.update(holder.erase_project(project_id))
    return gone
