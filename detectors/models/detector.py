from __future__ import annotations

from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from accounts.ownership import ProjectOwned, ProjectOwnedQuerySet

JUDGE_SAMPLE_RATE = 0.25


class Severity(models.TextChoices):
    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"


class DetectorQuerySet(ProjectOwnedQuerySet["Detector"]):
    def enabled(self) -> Self:
        return self.filter(is_enabled=True)

    def by_name(self) -> Self:
        return self.order_by("kind", "name", "id")


class Detector(ProjectOwned):
    """What a project wants to be told about. A check's rules are code, named by `template`."""

    class Kind(models.TextChoices):
        CHECK = "check", "Check"
        JUDGE = "judge", "Judge"

    name = models.CharField(max_length=100)
    template = models.CharField(
        max_length=50, help_text="The check's or judge template's name in code; unique per project."
    )
    category = models.CharField(max_length=50)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    prompt = models.TextField(blank=True, max_length=8_000, help_text="What a judge looks for.")
    is_enabled = models.BooleanField("enabled", default=True)
    sample_rate = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="Share of the settled traces that are looked at, 0 to 1.",
    )
    includes_evaluations = models.BooleanField(
        default=False, help_text="Whether runs of an evaluation are looked at too."
    )
    severity = models.CharField(max_length=10, choices=Severity.choices, default=Severity.MEDIUM)
    config = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = DetectorQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["project", "template"], name="detector_template_is_unique_per_project"
            ),
            models.CheckConstraint(
                condition=models.Q(sample_rate__gte=0.0, sample_rate__lte=1.0),
                name="detector_sample_rate_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return self.name
