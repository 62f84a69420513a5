"""Spans that the trace engine refuses for a reason of their own, kept with that reason."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.ownership import ProjectOwned, ProjectOwnedQuerySet


class QuarantinedSpanQuerySet(ProjectOwnedQuerySet["QuarantinedSpan"]):
    def waiting(self) -> QuarantinedSpanQuerySet:
        """Not released yet."""
        return self.filter(released_at=None)

    def newest(self) -> QuarantinedSpanQuerySet:
        return self.order_by("-received_ns", "id")


class QuarantinedSpan(ProjectOwned):
    """One span that was acknowledged and is not in the trace store.

    `content` is the row as it was sent to the engine; it is emptied when the span is released, that
    is stored after all.
    """

    trace_id = models.CharField(max_length=32)
    span_id = models.CharField(max_length=16)
    received_ns = models.BigIntegerField(db_index=True)
    reason = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    released_at = models.DateTimeField(null=True, blank=True)
    content = models.BinaryField()

    objects = QuarantinedSpanQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.trace_id} {self.span_id}"
