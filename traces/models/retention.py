"""How long a project keeps its traces: a default, and rules for some of them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.ownership import ProjectOwned, ProjectOwnedQuerySet

FOR_EVER = 0
DAYS: tuple[tuple[int, str], ...] = (
    (7, "7 days"),
    (30, "30 days"),
    (90, "90 days"),
    (365, "a year"),
    (FOR_EVER, "for ever"),
)
"""The classes. Each is partitions of its own in the store, so there are few."""
SHORTEST_DAYS = min(days for days, _ in DAYS if days != FOR_EVER)


class RetentionPolicy(ProjectOwned):
    """The default of one project; without a row everything is kept."""

    days = models.PositiveIntegerField(choices=DAYS, default=FOR_EVER)
    last_swept_at = models.DateTimeField(null=True, editable=False)

    objects = ProjectOwnedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "retention policies"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["project"], name="retention_is_unique_per_project"),
        ]

    def __str__(self) -> str:
        return dict(DAYS).get(self.days, str(self.days))


class RetentionRule(ProjectOwned):
    """For traces that meet all that it says. Where several match, the longest time counts."""

    days = models.PositiveIntegerField("kept", choices=DAYS)
    environment = models.CharField(
        max_length=200, blank=True, help_text="* is any text, ? one character. Empty: any."
    )
    tag = models.CharField(max_length=200, blank=True, help_text="Exactly so. Empty: any.")
    has_finding = models.BooleanField("with a finding", default=False)
    is_error = models.BooleanField("that failed", default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectOwnedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=~models.Q(environment="", tag="", has_finding=False, is_error=False),
                name="retention_rule_says_something",
                violation_error_message="Say which traces it is for; all others have the default.",
            ),
        ]

    def __str__(self) -> str:
        parts = [
            f"environment {self.environment}" if self.environment else "",
            f"tag {self.tag}" if self.tag else "",
            "with a finding" if self.has_finding else "",
            "that failed" if self.is_error else "",
        ]
        return ", ".join(part for part in parts if part)
