from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.ownership import ProjectOwned, ProjectOwnedQuerySet
from detectors.models.detector import Detector, Severity
from detectors.models.run import DetectorRun


class FindingQuerySet(ProjectOwnedQuerySet["Finding"]):
    def open(self) -> Self:
        return self.filter(status=Finding.Status.OPEN)

    def of_trace(self, trace_id: str) -> Self:
        return self.filter(trace_id=trace_id)

    def newest(self) -> Self:
        return self.order_by("-created_at", "id")

    def with_proof(self) -> Self:
        return self.select_related("detector", "decided_by").prefetch_related("evidence")


class Finding(ProjectOwned):
    """What a detector found wrong in a trace, for people to confirm or dismiss.

    One per detector and trace; a later generation of the trace updates it. When a later generation
    passes, the finding is dismissed without `decided_by`.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CONFIRMED = "confirmed", "Confirmed"
        DISMISSED = "dismissed", "Dismissed"

    detector = models.ForeignKey(Detector, on_delete=models.CASCADE, related_name="findings")
    run = models.ForeignKey(
        DetectorRun, null=True, on_delete=models.SET_NULL, related_name="findings"
    )
    trace_id = models.CharField(max_length=32)
    generation = models.PositiveIntegerField()
    span_id = models.CharField(max_length=16, blank=True)
    summary = models.TextField()
    confidence = models.FloatField()
    severity = models.CharField(max_length=10, choices=Severity.choices)
    category = models.CharField(max_length=50)
    fingerprint = models.CharField(max_length=32)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["detector", "trace_id"], name="finding_is_unique_per_detector_and_trace"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["project", "status", "-created_at"], name="finding_newest"),
            models.Index(fields=["project", "trace_id"], name="finding_of_trace"),
            models.Index(fields=["project", "fingerprint"], name="finding_alike"),
        ]

    def __str__(self) -> str:
        return self.summary


class Evidence(ProjectOwned):
    """One numbered proof of a finding. A quote's text stood in `field` of the span when checked."""

    class Kind(models.TextChoices):
        QUOTE = "quote", "Quote"
        ABSENCE = "absence", "Absence"
        AGGREGATE = "aggregate", "Aggregate"

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="evidence")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    claim = models.TextField(blank=True)
    span_id = models.CharField(max_length=16, blank=True)
    span_name = models.CharField(max_length=200, blank=True)
    span_kind = models.CharField(max_length=20, blank=True)
    field = models.CharField(max_length=200)
    text = models.TextField()
    is_verified = models.BooleanField("verified", default=False)

    objects = ProjectOwnedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        verbose_name_plural = "evidence"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["finding", "number"], name="evidence_number_is_unique_per_finding"
            ),
        ]

    def __str__(self) -> str:
        return f"[{self.number}] {self.text[:80]}"
