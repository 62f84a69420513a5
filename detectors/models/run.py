from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.utils import timezone

from accounts import leases
from accounts.leases import Leased, LeasedQuerySet
from detectors.models.detector import Detector


class DetectorRunQuerySet(LeasedQuerySet["DetectorRun"]):
    def claimable(self, now: dt.datetime) -> Self:
        """Waiting and due, or running under a lease that ran out."""
        return self.filter(
            models.Q(state=DetectorRun.State.PENDING, due_at__lte=now) | leases.lapsed(now)
        )

    def newest(self) -> Self:
        return self.order_by("-created_at", "id")


class DetectorRun(Leased):
    """One look of one detector at one generation of a trace. The row is the queue."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    class Outcome(models.TextChoices):
        PASS = "pass", "Pass"
        WARN = "warn", "Warn"
        FAIL = "fail", "Fail"
        ABSTAIN = "abstain", "Abstain"
        SKIPPED = "skipped", "Skipped"
        SUPERSEDED = "superseded", "Superseded"

    detector = models.ForeignKey(Detector, on_delete=models.CASCADE, related_name="runs")
    detector_version = models.PositiveIntegerField()
    trace_id = models.CharField(max_length=32)
    generation = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    due_at = models.DateTimeField(default=timezone.now)
    error = models.TextField(blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    summary = models.TextField(blank=True)
    inclusion_probability = models.FloatField(default=1.0)
    cost_usd = models.DecimalField(max_digits=18, decimal_places=9, null=True, blank=True)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = DetectorRunQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["detector", "trace_id", "generation"],
                name="run_is_unique_per_detector_and_generation",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["due_at", "created_at"],
                name="run_waiting",
                condition=models.Q(state__in=["pending", "running"]),
            ),
            models.Index(fields=["detector", "-created_at"], name="run_newest"),
            models.Index(fields=["project", "trace_id"], name="run_of_trace"),
        ]

    def __str__(self) -> str:
        return f"{self.detector_id} on {self.trace_id} ({self.state})"

    @property
    def verdict_name(self) -> str:
        """What the page shows: the outcome, or why there is none yet."""
        if self.state == self.State.FAILED:
            return "judge_error"
        if self.state != self.State.DONE:
            return self.state
        return self.outcome if self.outcome in ("pass", "warn", "fail", "abstain") else "unused"
