"""How much a project may send."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from accounts.ownership import ProjectOwned, ProjectOwnedQuerySet


class IngestLimitQuerySet(ProjectOwnedQuerySet["IngestLimit"]):
    pass


class IngestLimit(ProjectOwned):
    """A project without one, or with an empty figure, has the installation's."""

    spans_per_second = models.PositiveIntegerField(
        "spans a second", null=True, blank=True, help_text="0: no limit."
    )
    bytes_per_day = models.PositiveBigIntegerField(
        "bytes a day", null=True, blank=True, help_text="Decompressed, by UTC days. 0: no limit."
    )

    objects = IngestLimitQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["project"], name="ingest_limit_is_one_per_project"),
        ]

    def __str__(self) -> str:
        return f"{self.spans_per_second} spans a second, {self.bytes_per_day} bytes a day"
