from __future__ import annotations

from django.db import models


class SweepCursor(models.Model):
    """How far the sweep over settled traces of all projects has come, by the engine's clock.

    One row. The lease keeps two workers from sweeping at once; its loss costs time, never a trace.
    """

    name = models.CharField(max_length=40, primary_key=True)
    settled_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.settled_at:%Y-%m-%d %H:%M:%S}"
