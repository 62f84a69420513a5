"""What people change about prices: a project's own prices, and which cost counts.

Each change is one log line with who made it. It counts here at once, in other processes within
`PRICES_REFRESH_SECONDS`.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from accounts.models import Project, User
from traces.models import CostRule, PriceOverride
from traces.pricing import book

log = logging.getLogger(__name__)

MOST_OVERRIDES = 500
"""Of one project: each is looked at when a model is priced for the first time."""


class BadPrice(ValueError):
    """The price cannot be taken; the text says why."""


def add(project: Project, override: PriceOverride, by: User | None) -> PriceOverride:
    """Saves a new price of the project. Raises BadPrice."""
    override.project = project
    override.created_by = by
    override.pattern = override.pattern.strip()
    override.provider = override.provider.strip()
    check(override.pattern, override.valid_from, override.valid_until)
    own = PriceOverride.objects.for_project(project)
    is_open = Q(valid_until=None) | Q(valid_until=override.valid_until)
    same = own.filter(
        is_open,
        pattern=override.pattern,
        provider=override.provider,
        valid_from=override.valid_from,
    )
    if same.exists():
        raise BadPrice(
            f"There is a price of {override} from that time already. End or delete it first."
        )
    if own.count() >= MOST_OVERRIDES:
        raise BadPrice(f"A project has at most {MOST_OVERRIDES} prices. Delete some that ended.")
    with transaction.atomic():
        override.save(force_insert=True)
        _changed()
    log.info(
        "prices.override_added project=%s override=%s model=%r by=%s",
        project.id,
        override.id,
        override.pattern,
        by.pk if by else None,
    )
    return override


def check(pattern: str, valid_from: datetime | None, valid_until: datetime | None) -> None:
    """Raises BadPrice."""
    if not pattern.strip() or not pattern.isprintable():
        raise BadPrice("Name the model as your spans do, for instance my-model or my-model*.")
    if valid_from and valid_until and valid_until <= valid_from:
        raise BadPrice("The price ends before it begins.")


def end(override: PriceOverride, at: datetime, by: User | None) -> None:
    """The price counts for no span that starts then or later. Raises BadPrice."""
    if override.valid_from is not None and at <= override.valid_from:
        raise BadPrice(f"The price of {override} has not begun yet. Delete it instead.")
    set_end(override, at, by)


def set_end(override: PriceOverride, until: datetime | None, by: User | None) -> None:
    """None: it is valid without end."""
    with transaction.atomic():
        PriceOverride.objects.filter(pk=override.pk).update(valid_until=until)
        _changed()
    override.valid_until = until
    _log("ended" if until else "reopened", override, by)


def delete(override: PriceOverride, by: User | None) -> None:
    """Spans that it priced keep their cost until they are priced again."""
    with transaction.atomic():
        PriceOverride.objects.filter(pk=override.pk).delete()
        _changed()
    _log("deleted", override, by)


def set_rule(
    project: Project, counts: str, by: User | None, *, estimates_tokens: bool = True
) -> None:
    """Which cost counts, for spans that arrive from now on; repricing applies it to others.

    `estimates_tokens`: of calls that report none, in traces that settle from now on.
    """
    values = {"counts": counts, "estimates_tokens": estimates_tokens}
    with transaction.atomic():
        CostRule.objects.update_or_create(project=project, defaults=values)
        _changed()
    log.info(
        "prices.rule_set project=%s counts=%s estimates_tokens=%s by=%s",
        project.id,
        counts,
        estimates_tokens,
        by.pk if by else None,
    )


def _changed() -> None:
    transaction.on_commit(book.reload)


def _log(what: str, override: PriceOverride, by: User | None) -> None:
    log.info(
        "prices.override_%s project=%s override=%s by=%s",
        what,
        override.project_id,
        override.id,
        by.pk if by else None,
    )
