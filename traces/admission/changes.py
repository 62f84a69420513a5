"""What people change about a project's rules and limits.

Each change is one log line with who made it. It counts here at once, in other processes within
`INGEST_RULES_REFRESH_SECONDS`.
"""

from __future__ import annotations

import logging
from typing import get_args

from django.db import transaction

from accounts.models import Project, User
from traces.admission import book
from traces.admission.rules import MATCHES
from traces.models import DropRule, IngestLimit
from traces.spans import Kind

log = logging.getLogger(__name__)

MOST_RULES = 50
"""Of one project: each is looked at for every span."""
_NEEDS_PATTERN = frozenset({"name", "scope", "kind", "attribute"})


class BadRule(ValueError):
    """The rule cannot be taken; the text says why."""


def add(project: Project, rule: DropRule, by: User | None) -> DropRule:
    """Raises BadRule."""
    rule.project, rule.created_by = project, by
    rule.pattern, rule.key = rule.pattern.strip(), rule.key.strip()
    if rule.match == DropRule.Match.INFRASTRUCTURE:
        rule.pattern = ""
    if rule.match != DropRule.Match.ATTRIBUTE:
        rule.key = ""
    check(rule.match, rule.pattern, rule.key)
    known = DropRule.objects.for_project(project)
    if known.filter(match=rule.match, pattern=rule.pattern, key=rule.key).exists():
        raise BadRule("This project has this rule already.")
    if known.count() >= MOST_RULES:
        raise BadRule(f"A project has at most {MOST_RULES} rules. Delete some first.")
    with transaction.atomic():
        rule.save(force_insert=True)
        transaction.on_commit(book.reload)
    _log("added", rule, by)
    return rule


def check(match: str, pattern: str, key: str) -> None:
    """Raises BadRule."""
    if match not in MATCHES:
        raise BadRule(f"A rule matches by one of {', '.join(MATCHES)}.")
    if not (pattern + key).isprintable():
        raise BadRule("A rule is written in characters that can be seen.")
    if match in _NEEDS_PATTERN and not pattern:
        raise BadRule("Say what it should match, for instance GET *.")
    if match == "kind" and pattern not in get_args(Kind):
        raise BadRule(f"A span's kind is one of {', '.join(get_args(Kind))}.")
    if match == "attribute" and not key:
        raise BadRule("Name the attribute that should have this value.")
    if match in ("name", "scope") and not pattern.strip("*? "):
        raise BadRule("This would drop every span. Revoke the key if nothing is to be stored.")


def enable(rule: DropRule, is_enabled: bool, by: User | None) -> None:
    with transaction.atomic():
        DropRule.objects.filter(pk=rule.pk).update(is_enabled=is_enabled)
        transaction.on_commit(book.reload)
    rule.is_enabled = is_enabled
    _log("enabled" if is_enabled else "disabled", rule, by)


def delete(rule: DropRule, by: User | None) -> None:
    """What it dropped is not stored anywhere and stays away; receipts keep the count."""
    with transaction.atomic():
        DropRule.objects.filter(pk=rule.pk).delete()
        transaction.on_commit(book.reload)
    _log("deleted", rule, by)


def set_limit(
    project: Project, spans_per_second: int | None, bytes_per_day: int | None, by: User | None
) -> None:
    """None: the installation's default; 0: no limit."""
    wanted = {"spans_per_second": spans_per_second, "bytes_per_day": bytes_per_day}
    with transaction.atomic():
        IngestLimit.objects.update_or_create(project=project, defaults=wanted)
        transaction.on_commit(book.reload)
    log.info(
        "ingest.limit_set project=%s spans_per_second=%s bytes_per_day=%s by=%s",
        *(project.id, spans_per_second, bytes_per_day, by.pk if by else None),
    )


def _log(what: str, rule: DropRule, by: User | None) -> None:
    log.info(
        "rules.%s project=%s rule=%s match=%r by=%s",
        *(what, rule.project_id, rule.id, str(rule), by.pk if by else None),
    )
