"""Asking for a deletion: one row, and a wake-up. What is asked for is fixed at that moment."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from accounts import api_keys
from accounts.models import ApiKey, Project, User
from traces.deletion import erasing
from traces.deletion.fingerprints import fingerprint
from traces.deletion.wanted import Wanted
from traces.models import Deletion
from traces.store.filters import TraceFilter

log = logging.getLogger(__name__)

MOST_TRACES = 1_000
_MOST_CHARACTERS = 1_024


class BadDeletion(ValueError):
    """It cannot be asked for; the text says why."""


def traces(
    project: Project, trace_ids: Sequence[bytes], *, by: User | None, by_name: str, now: datetime
) -> Deletion:
    """Raises BadDeletion."""
    ids = sorted({one.hex() for one in trace_ids})
    if not 1 <= len(ids) <= MOST_TRACES:
        raise BadDeletion(f"Name from 1 to {MOST_TRACES:,} traces.")
    return _ask(project, Deletion.Kind.TRACES, {"trace_ids": ids}, by, by_name, now)


def session(
    project: Project, session_id: str, *, by: User | None, by_name: str, now: datetime
) -> Deletion:
    """Raises BadDeletion."""
    asked = {"session_id": _named(session_id, "session")}
    return _ask(project, Deletion.Kind.SESSION, asked, by, by_name, now)


def user(
    project: Project, user_id: str, *, by: User | None, by_name: str, now: datetime
) -> Deletion:
    """Raises BadDeletion."""
    asked = {"user_id": _named(user_id, "user")}
    return _ask(project, Deletion.Kind.USER, asked, by, by_name, now)


def traces_of(project: Project, *, session_id: str = "", user_id: str = "") -> tuple[int, bool]:
    """How many traces name it as things are now, and whether that is all of them.

    Raises BadDeletion, StoreError.
    """
    _named(session_id or user_id, "session" if session_id else "user")
    wanted = Wanted(project.pk, session_id=session_id, user_id=user_id)
    found = next(erasing.trace_ids_of(wanted), [])
    return len(found), len(found) < erasing.PAGE


def query(
    project: Project, wanted: TraceFilter, *, by: User | None, by_name: str, now: datetime
) -> Deletion:
    """What the list of traces shows with this filter, of traces that began before now."""
    fixed = replace(wanted, until=min(wanted.until or now, now))
    asked = {"filter": msgspec.to_builtins(fixed)}
    return _ask(project, Deletion.Kind.QUERY, asked, by, by_name, now)


def whole_project(project: Project, *, by: User | None, by_name: str, now: datetime) -> Deletion:
    """Its keys are refused from here on; the project itself goes when its traces are gone."""
    with transaction.atomic():
        open_ones = Deletion.objects.for_project(project).filter(kind=Deletion.Kind.PROJECT)
        if found := open_ones.exclude(state=Deletion.State.FAILED).first():
            return found
        asked = _ask(project, Deletion.Kind.PROJECT, {}, by, by_name, now)
        for key in ApiKey.objects.for_project(project).filter(revoked_at=None):
            api_keys.revoke(key, now=now)
    return asked


def _named(value: str, what: str) -> str:
    if not value or len(value) > _MOST_CHARACTERS or "\0" in value:
        raise BadDeletion(f"Name the {what}, in at most {_MOST_CHARACTERS:,} characters.")
    return value


def _ask(
    project: Project,
    kind: Deletion.Kind,
    asked: dict[str, Any],
    by: User | None,
    by_name: str,
    now: datetime,
) -> Deletion:
    made = Deletion.objects.create(
        project_id=project.pk,
        organization_id=project.organization_id,
        project_name=project.name,
        kind=kind,
        asked=asked,
        fingerprint=fingerprint(asked),
        asked_by=by,
        asked_by_name=by_name[:254],
        asked_at=now,
        due_at=now,
    )
    log.info("deletion.asked deletion=%s project=%s kind=%s", made.pk, project.pk, kind)
    return made
