from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.utils import timezone

from accounts.ownership import ProjectOwned, ProjectOwnedQuerySet

NAME_MAX_CHARACTERS = 200
LOCATION_MAX_CHARACTERS = 1000


class RepositoryQuerySet(ProjectOwnedQuerySet["Repository"]):
    def by_name(self) -> Self:
        return self.order_by("name", "id")

    def fetchable(self, now: dt.datetime) -> Self:
        """Asked to be fetched, and nobody is at it (or who was has died)."""
        return self.filter(
            models.Q(fetch_lease_expires_at=None) | models.Q(fetch_lease_expires_at__lte=now),
            fetch_requested_at__isnull=False,
        )


class Repository(ProjectOwned):
    """Where the source of a project's agents is read from. `name` is what traces call it."""

    name = models.CharField(max_length=NAME_MAX_CHARACTERS)
    location = models.CharField(max_length=LOCATION_MAX_CHARACTERS)
    sealed_token = models.TextField(
        blank=True, editable=False, help_text="Encrypted; debugging.access_tokens reads it."
    )
    token_hint = models.CharField(max_length=4, blank=True, editable=False)
    default_branch = models.CharField(max_length=250, blank=True)
    last_fetched_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    fetch_requested_at = models.DateTimeField(null=True, blank=True)
    fetch_lease_expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = RepositoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "repositories"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["project", "name"], name="repository_name_is_unique_per_project"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["fetch_requested_at"],
                name="repository_to_fetch",
                condition=models.Q(fetch_requested_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_token(self) -> bool:
        return bool(self.sealed_token)

    @property
    def is_remote(self) -> bool:
        """Read from a server, which may want a token; else from a path."""
        return "://" in self.location

    @property
    def hex_id(self) -> str:
        """For ids of elements in pages."""
        return self.pk.hex
