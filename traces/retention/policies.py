"""What people change about retention. New spans carry the longest class that any rule could give
them, which the store ends by itself; the rules decide for each settled trace (`expiry`).
"""

from __future__ import annotations

import logging

from django.db import transaction

from accounts.models import Project, User
from traces.models import RetentionPolicy, RetentionRule
from traces.models.retention import FOR_EVER

log = logging.getLogger(__name__)

MOST_RULES = 20


class BadRule(ValueError):
    """The rule cannot be taken; the text says why."""


def of(project: Project) -> RetentionPolicy:
    found = RetentionPolicy.objects.for_project(project).first()
    return found or RetentionPolicy(project=project, days=project.retention_days)


def set_default(project: Project, days: int, by: User | None) -> None:
    with transaction.atomic():
        RetentionPolicy.objects.update_or_create(project=project, defaults={"days": days})
        _stamp(project)
    _log("default_set", project, f"days={days}", by)


def add_rule(project: Project, rule: RetentionRule, by: User | None) -> None:
    """Raises BadRule."""
    if RetentionRule.objects.for_project(project).count() >= MOST_RULES:
        raise BadRule(f"A project has at most {MOST_RULES} rules. Delete one that is not needed.")
    same = RetentionRule.objects.for_project(project).filter(
        environment=rule.environment,
        tag=rule.tag,
        has_finding=rule.has_finding,
        is_error=rule.is_error,
    )
    if other := same.first():
        raise BadRule(
            f"There is a rule for these traces already: {other}, kept {other.get_days_display()}. "
            "Delete it first."
        )
    with transaction.atomic():
        RetentionPolicy.objects.get_or_create(
            project=project, defaults={"days": project.retention_days}
        )
        rule.project = project
        rule.save(force_insert=True)
        _stamp(project)
    _log("rule_added", project, f"rule={rule.pk}", by)


def delete_rule(rule: RetentionRule, by: User | None) -> None:
    with transaction.atomic():
        RetentionRule.objects.filter(pk=rule.pk).delete()
        _stamp(rule.project)
    _log("rule_deleted", rule.project, f"rule={rule.pk}", by)


def _stamp(project: Project) -> None:
    """The class of new spans; keys carry it to receivers within seconds."""
    rules = RetentionRule.objects.for_project(project).values_list("days", flat=True)
    possible = {of(project).days, *rules}
    longest = FOR_EVER if FOR_EVER in possible else max(possible)
    Project.objects.filter(pk=project.pk).update(retention_days=longest)
    project.retention_days = longest


def _log(what: str, project: Project, figures: str, by: User | None) -> None:
    log.info("retention.%s project=%s %s by=%s", what, project.pk, figures, by.pk if by else None)
