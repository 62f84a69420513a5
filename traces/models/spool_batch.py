"""One request's rows, waiting for the trace engine, in the database that `spool.router` names."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone


class SpoolBatch(models.Model):
    """The row is the queue: claimed by lease, deleted once the engine has what it holds.

    The project is an id and no foreign key, because its row may be in another database.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project_id = models.UUIDField()
    key_id = models.UUIDField(null=True, help_text="API key that sent it.")
    received_ns = models.BigIntegerField()
    rows = models.PositiveIntegerField(help_text="Spans; 0 when only the receipt waits.")
    accepted = models.PositiveIntegerField(help_text="Spans that its receipt acknowledges.")
    bytes = models.PositiveIntegerField(help_text="Of the encoded content.")
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    lease_owner = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    # Last, so that what only counts does not read through it.
    content = models.BinaryField()

    class Meta:
        verbose_name_plural = "spool batches"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["project_id", "created_at", "id"], name="spool_turn"),
            models.Index(fields=["project_id", "key_id", "bytes", "accepted"], name="spool_size"),
            models.Index(fields=["lease_owner"], name="spool_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.rows} spans of {self.project_id}"
