"""Rules by which a project drops spans before they are stored."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.models import User
from accounts.ownership import ProjectOwned, ProjectOwnedQuerySet
from traces.admission.rules import MATCHES, Rule


class DropRuleQuerySet(ProjectOwnedQuerySet["DropRule"]):
    def oldest(self) -> DropRuleQuerySet:
        """In the order in which they are tried."""
        return self.order_by("created_at", "id")


class DropRule(ProjectOwned):
    """Once made it is only enabled, disabled or deleted: its counts are of one meaning."""

    class Match(models.TextChoices):
        NAME = "name", "Span name"
        SCOPE = "scope", "Instrumentation scope"
        KIND = "kind", "Kind"
        ATTRIBUTE = "attribute", "Attribute equals"
        INFRASTRUCTURE = "infrastructure", "Infrastructure without content"

    match = models.CharField("match by", max_length=20, choices=Match.choices, default=Match.NAME)
    pattern = models.CharField(
        "name, kind or value",
        max_length=200,
        blank=True,
        help_text="In names * is any text, ? one character.",
    )
    key = models.CharField(
        "attribute", max_length=200, blank=True, help_text="Only for “attribute equals”."
    )
    drops_failed = models.BooleanField(
        "Drop failed spans too",
        default=False,
        help_text="Otherwise spans with status error are kept.",
    )
    is_enabled = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = DropRuleQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["project", "match", "pattern", "key"], name="drop_rule_is_said_once"
            ),
            models.CheckConstraint(
                condition=models.Q(match__in=MATCHES), name="drop_rule_match_is_known"
            ),
        ]

    def __str__(self) -> str:
        return str(Rule(self.match, self.pattern, self.key, self.drops_failed))  # type: ignore[arg-type]
