from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.utils import timezone

from accounts.ownership import ProjectOwned, ProjectOwnedQuerySet
from detectors.models.finding import Finding


class AlertRouteQuerySet(ProjectOwnedQuerySet["AlertRoute"]):
    def enabled(self) -> Self:
        return self.filter(is_enabled=True)

    def by_email(self) -> Self:
        return self.order_by("-is_default", "email", "id")


class AlertRoute(ProjectOwned):
    """An address that is told about new findings. The default one, the owner's, stays."""

    email = models.EmailField(max_length=254)
    is_enabled = models.BooleanField("enabled", default=True)
    is_default = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AlertRouteQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["project", "email"], name="alert_route_is_unique_per_address"
            ),
        ]

    def __str__(self) -> str:
        return self.email


class AlertDeliveryQuerySet(ProjectOwnedQuerySet["AlertDelivery"]):
    def due(self, now: dt.datetime) -> Self:
        return self.filter(state=AlertDelivery.State.WAITING, next_attempt_at__lte=now)

    def newest(self) -> Self:
        return self.order_by("-created_at", "id")


class AlertDelivery(ProjectOwned):
    """One recipient who is told of one finding: the outbox, written with the finding.

    `sending` is set before the mail server is spoken to. A row found there after its lease ran
    out may or may not have been delivered: it becomes `uncertain` and is never sent again by
    itself. On a server without a mail server it ends as `written`: it reached nobody, and `error`
    says which file it is.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        WRITTEN = "written", "Written to a file"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "Uncertain"

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=10, default="email")
    recipient = models.CharField(max_length=254)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    # set when it went with others in one mail: the same for all of them
    summary = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = AlertDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "alert deliveries"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["finding", "channel", "recipient"],
                name="alert_is_unique_per_finding_and_recipient",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["next_attempt_at"],
                name="alert_waiting",
                condition=models.Q(state__in=["waiting", "sending"]),
            ),
            models.Index(fields=["project", "recipient", "created_at"], name="alert_by_recipient"),
            models.Index(
                fields=["summary"],
                name="alert_by_summary",
                condition=models.Q(summary__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipient}: {self.state}"
