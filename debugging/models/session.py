from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts import leases
from accounts.leases import Leased, LeasedQuerySet
from accounts.ownership import ProjectOwned, ProjectOwnedQuerySet

LEAD_BELOW = 0.5


class DebuggingSessionQuerySet(LeasedQuerySet["DebuggingSession"]):
    def active(self) -> Self:
        return self.filter(state__in=DebuggingSession.ACTIVE)

    def claimable(self, now: dt.datetime) -> Self:
        """Queued, or running under a lease that ran out."""
        return self.filter(models.Q(state=DebuggingSession.State.QUEUED) | leases.lapsed(now))

    def of_trace(self, trace_id: str) -> Self:
        return self.filter(trace_id=trace_id)

    def newest(self) -> Self:
        return self.order_by("-created_at", "id")


class DebuggingSession(Leased):
    """One search for the cause of what went wrong in a trace. The row is the queue."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        CONCLUDED = "concluded", "Concluded"
        ABSTAINED = "abstained", "Abstained"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Stopped"

    ACTIVE: ClassVar[tuple[str, ...]] = ("queued", "running")

    trace_id = models.CharField(max_length=32)
    trace_name = models.CharField(max_length=200, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    commit = models.CharField(max_length=64, blank=True)
    confidence = models.FloatField(
        null=True, blank=True, help_text="0 to 1, of the change that is named first."
    )
    summary = models.TextField(blank=True)
    error = models.TextField(blank=True)
    report = models.TextField(blank=True, help_text="JSON; its shape is in debugging.outcomes.")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = DebuggingSessionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(
                    state__in=[
                        "queued",
                        "running",
                        "concluded",
                        "abstained",
                        "failed",
                        "cancelled",
                    ]
                ),
                name="debugging_session_state_is_known",
            ),
            models.UniqueConstraint(
                fields=["project", "trace_id"],
                condition=models.Q(state__in=["queued", "running"]),
                name="debugging_session_runs_once_per_trace",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["created_at"],
                name="debugging_session_waiting",
                condition=models.Q(state__in=["queued", "running"]),
            ),
            models.Index(fields=["project", "-created_at"], name="debugging_session_newest"),
            models.Index(fields=["project", "trace_id"], name="debugging_session_of_trace"),
        ]

    def __str__(self) -> str:
        return f"{self.trace_name or self.trace_id} ({self.state})"

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def is_lead(self) -> bool:
        """What was found is where to look, and too little to call it the cause."""
        return self.confidence is not None and self.confidence < LEAD_BELOW

    @property
    def duration(self) -> dt.timedelta | None:
        """From the first attempt to the end; None before either."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


class Step(ProjectOwned):
    """One thing a session did, written when it begins. `duration_ms` is None until it ended."""

    class Outcome(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        WARN = "warn", "With a remark"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    session = models.ForeignKey(DebuggingSession, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    title = models.CharField(max_length=300)
    detail = models.TextField(blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.RUNNING)
    at = models.DateTimeField(default=timezone.now)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)

    objects = ProjectOwnedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["session", "number"], name="debugging_step_number_is_unique_per_session"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}. {self.title}"
