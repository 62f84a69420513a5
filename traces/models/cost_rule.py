"""Which cost of a project's spans counts where several are known, and whether one is estimated."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.ownership import ProjectOwned, ProjectOwnedQuerySet


class CostRuleQuerySet(ProjectOwnedQuerySet["CostRule"]):
    pass


class CostRule(ProjectOwned):
    """A project without one takes what its spans report, and estimates what they do not."""

    class Counts(models.TextChoices):
        REPORTED = "reported", "What the spans report, else ours"
        COMPUTED = "computed", "Ours, else what the spans report"

    counts = models.CharField(max_length=10, choices=Counts.choices, default=Counts.REPORTED)
    estimates_tokens = models.BooleanField(default=True)

    objects = CostRuleQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["project"], name="cost_rule_is_one_per_project"),
            models.CheckConstraint(
                condition=models.Q(counts__in=["reported", "computed"]),
                name="cost_rule_counts_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.get_counts_display()
