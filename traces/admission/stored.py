"""The book as the database holds it."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from traces.admission.book import Book, default_limit
from traces.admission.rates import Limit
from traces.admission.rules import Rule
from traces.models import DropRule, IngestLimit


def book() -> Book:
    """Raises DatabaseError."""
    found: dict[UUID, list[Rule]] = defaultdict(list)
    for row in DropRule.objects.filter(is_enabled=True).order_by("project_id", "created_at", "id"):
        found[row.project_id].append(rule(row))
    limits = {row.project_id: limit(row) for row in IngestLimit.objects.order_by("id")}
    return Book({project: tuple(rules) for project, rules in found.items()}, limits)


def rule(row: DropRule) -> Rule:
    return Rule(row.match, row.pattern, row.key, row.drops_failed)  # type: ignore[arg-type]


def limit(row: IngestLimit) -> Limit:
    """What the project leaves empty is the installation's."""
    default = default_limit()
    return Limit(
        default.spans_per_second if row.spans_per_second is None else row.spans_per_second,
        default.bytes_per_day if row.bytes_per_day is None else row.bytes_per_day,
    )
