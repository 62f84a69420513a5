"""Deletions that people asked for, and the traces that they took: what may not come back.

A deletion outlives its project, and so its ids are no foreign keys: the row is the receipt.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar, Self

from django.db import models
from django.utils import timezone

from accounts import leases
from accounts.leases import OWNER_MAX_CHARACTERS, LeasedQuerySet
from accounts.models import NAME_MAX_CHARACTERS, Organization, Project, User


class DeletionQuerySet(LeasedQuerySet["Deletion"]):
    def for_project(self, project: Project | uuid.UUID) -> Self:
        return self.filter(project_id=project.pk if isinstance(project, Project) else project)

    def for_organization(self, organization: Organization | uuid.UUID) -> Self:
        if isinstance(organization, Organization):
            organization = organization.pk
        return self.filter(organization_id=organization)

    def claimable(self, now: dt.datetime) -> Self:
        return self.filter(
            models.Q(state=Deletion.State.WAITING, due_at__lte=now) | leases.lapsed(now)
        )

    def newest(self) -> Self:
        return self.order_by("-asked_at", "id")


class Deletion(models.Model):
    """What was asked, by whom, how far it is, and afterwards the receipt: figures, never content.

    `asked` holds what is needed to find the rows and is emptied at the end; `fingerprint` lets
    somebody who knows what was asked for prove that this is the receipt of it.
    """

    class Kind(models.TextChoices):
        TRACES = "traces", "Traces"
        SESSION = "session", "Session"
        USER = "user", "User"
        QUERY = "query", "Query"
        PROJECT = "project", "Project"
        EXPIRED = "expired", "Expired traces"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    class Phase(models.TextChoices):
        COLLECT = "collect", "Finding the traces"
        ERASE = "erase", "Deleting"
        CHECK = "check", "Looking for what arrived meanwhile"
        REWRITE = "rewrite", "Removing it from the files"
        END = "end", "Finished"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project_id = models.UUIDField()
    organization_id = models.UUIDField()
    project_name = models.CharField(max_length=NAME_MAX_CHARACTERS)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    asked = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64, blank=True)
    asked_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_by_name = models.CharField(max_length=254, help_text="A person or an API key.")
    asked_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    phase = models.CharField(max_length=10, choices=Phase.choices, default=Phase.COLLECT)
    due_at = models.DateTimeField(default=timezone.now)
    found = models.PositiveIntegerField(default=0, help_text="Traces.")
    erased = models.PositiveIntegerField(default=0, help_text="Traces.")
    rows = models.JSONField(default=dict, help_text="Rows that are gone, by table.")
    counted = models.JSONField(default=dict, help_text="Rows of the portion that is under way.")
    remark = models.TextField(blank=True, help_text="What could not be looked through.")
    error = models.TextField(blank=True)
    failures = models.PositiveIntegerField(default=0)
    lease_owner = models.CharField(max_length=OWNER_MAX_CHARACTERS, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)

    objects = DeletionQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["due_at"],
                name="deletion_waiting",
                condition=models.Q(state__in=["waiting", "running"]),
            ),
            models.Index(fields=["project_id", "-asked_at"], name="deletion_newest"),
            models.Index(fields=["organization_id", "-asked_at"], name="deletion_of_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.project_name} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def row_count(self) -> int:
        return sum(self.rows.values())


class DeletedTraceQuerySet(models.QuerySet["DeletedTrace"]):
    def in_force(self, now: dt.datetime) -> Self:
        return self.filter(expires_at__gt=now)

    def to_erase(self) -> Self:
        """Traces, and the project as a whole."""
        return self.filter(is_person=False)

    def of_traces(self) -> Self:
        return self.to_erase().exclude(trace_id="")


class DeletedTrace(models.Model):
    """A tombstone: spans of this trace that arrive until `expires_at` are dropped.

    It is the queue of its deletion too: `erased_at` says how far that is. An empty `trace_id` is
    the whole project. With `is_person` it is the fingerprint of a session or user: log records and
    usage that name it and may belong to no trace are dropped, as far as they are older than what
    was asked (`until_ns`, since the epoch).
    """

    id = models.BigAutoField(primary_key=True)
    project_id = models.UUIDField()
    trace_id = models.CharField(max_length=32, blank=True)
    is_person = models.BooleanField(default=False)
    until_ns = models.PositiveBigIntegerField(default=0)
    deletion = models.ForeignKey(Deletion, on_delete=models.CASCADE, related_name="traces")
    created_at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    objects = DeletedTraceQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["deletion", "trace_id"], name="tombstone_is_unique_per_deletion"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["project_id", "trace_id"], name="tombstone_of_trace"),
        ]

    def __str__(self) -> str:
        return self.trace_id or "everything"
