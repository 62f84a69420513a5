"""Price maps that were installed here over the one of the package, the newest in force."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone


class InstalledPriceMapQuerySet(models.QuerySet["InstalledPriceMap"]):
    def newest(self) -> InstalledPriceMapQuerySet:
        return self.order_by("-installed_at", "-id")


class InstalledPriceMap(models.Model):
    """One map for all projects of the installation. Earlier ones stay: spans name the map that
    priced them, and spans of that time are priced again with it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.CharField(max_length=100, unique=True)
    source = models.CharField(max_length=500, help_text="The file or address it came from.")
    entries = models.PositiveIntegerField(help_text="Models with a price.")
    content = models.BinaryField(help_text="The map as it was read, compressed by zlib.")
    installed_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = InstalledPriceMapQuerySet.as_manager()

    def __str__(self) -> str:
        return self.version
