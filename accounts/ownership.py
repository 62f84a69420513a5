"""The bases of every model that belongs to a tenant.

A model inherits exactly one of them, so that its rows die with their owner and can be read in the
owner's scope. Rows that must outlive their owner (receipts of deletions) do not inherit and are
listed, with the reason, in the test that walks all models.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models

if TYPE_CHECKING:
    from accounts.models import Organization, Project

_Owned_co = TypeVar("_Owned_co", bound=models.Model, covariant=True)


class OrganizationOwnedQuerySet(models.QuerySet[_Owned_co]):
    """Takes the organisation or its id."""

    def for_organization(self, organization: Organization | uuid.UUID) -> Self:
        return self.filter(organization=organization)


class ProjectOwnedQuerySet(models.QuerySet[_Owned_co]):
    """Takes the owner or its id.

    Subclass it for the scoped reads of a model: `objects = FindingQuerySet.as_manager()`.
    """

    def for_project(self, project: Project | uuid.UUID) -> Self:
        return self.filter(project=project)

    def for_organization(self, organization: Organization | uuid.UUID) -> Self:
        return self.filter(project__organization=organization)


# Classes of their own and not `as_manager()`: of a generated manager the type checker makes a class
# variable, which no model could then replace by its own.
class OrganizationOwnedManager(models.Manager[_Owned_co]):
    def get_queryset(self) -> OrganizationOwnedQuerySet[_Owned_co]:
        return OrganizationOwnedQuerySet(self.model, using=self._db)

    def for_organization(
        self, organization: Organization | uuid.UUID
    ) -> OrganizationOwnedQuerySet[_Owned_co]:
        return self.get_queryset().for_organization(organization)


class ProjectOwnedManager(models.Manager[_Owned_co]):
    def get_queryset(self) -> ProjectOwnedQuerySet[_Owned_co]:
        return ProjectOwnedQuerySet(self.model, using=self._db)

    def for_project(self, project: Project | uuid.UUID) -> ProjectOwnedQuerySet[_Owned_co]:
        return self.get_queryset().for_project(project)

    def for_organization(
        self, organization: Organization | uuid.UUID
    ) -> ProjectOwnedQuerySet[_Owned_co]:
        return self.get_queryset().for_organization(organization)


class OrganizationOwned(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, related_name="+"
    )

    objects: Any = OrganizationOwnedManager()

    class Meta:
        abstract = True


class ProjectOwned(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("accounts.Project", on_delete=models.CASCADE, related_name="+")

    objects: Any = ProjectOwnedManager()

    class Meta:
        abstract = True
