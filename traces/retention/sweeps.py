"""Deletes what has expired: once a day a deletion like any other, with its receipt."""

from __future__ import annotations

import datetime as dt
import logging

from accounts.models import Project, User
from traces.models import Deletion, RetentionPolicy
from traces.retention import expiry

log = logging.getLogger(__name__)

_EVERY = dt.timedelta(days=1)
BY_RULES = "the retention rules"


def ask_due(now: dt.datetime) -> int:
    """For each project that was not looked at for a day; returns how many deletions that makes.

    Raises StoreError.
    """
    made = 0
    policies = RetentionPolicy.objects.select_related("project").order_by("last_swept_at", "id")
    for policy in policies.exclude(last_swept_at__gt=now - _EVERY):
        if ask(policy.project, by=None, by_name=BY_RULES, now=now) is not None:
            made += 1
    return made


def ask(project: Project, *, by: User | None, by_name: str, now: dt.datetime) -> Deletion | None:
    """The deletion of what has expired, or the one that is under way; None when nothing has.

    Raises StoreError.
    """
    under_way = Deletion.objects.for_project(project).filter(
        kind=Deletion.Kind.EXPIRED, state__in=[Deletion.State.WAITING, Deletion.State.RUNNING]
    )
    if found := under_way.first():
        return found
    has_some = next(expiry.expired(project.pk, now), None) is not None
    RetentionPolicy.objects.for_project(project).update(last_swept_at=now)
    if not has_some:
        return None
    log.info("retention.expired project=%s", project.pk)
    return Deletion.objects.create(
        project_id=project.pk,
        organization_id=project.organization_id,
        project_name=project.name,
        kind=Deletion.Kind.EXPIRED,
        asked_by=by,
        asked_by_name=by_name,
        asked_at=now,
        due_at=now,
    )
