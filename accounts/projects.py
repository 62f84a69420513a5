"""Projects of an organisation."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from accounts import names
from accounts.models import Organization, Project


class ProjectNameTaken(ValueError):
    """Another project of the organisation has the name."""

    def __init__(self, organization: Organization, name: str) -> None:
        super().__init__(f"{organization.name} has a project named “{name}” already.")


def create_project(organization: Organization, name: str) -> Project:
    """Raises InvalidName, ProjectNameTaken."""
    cleaned = names.clean(name)
    try:
        with transaction.atomic():
            return Project.objects.create(organization=organization, name=cleaned)
    except IntegrityError as error:
        raise _taken(error, organization, cleaned) from error


def rename_project(project: Project, name: str) -> None:
    """Raises InvalidName, ProjectNameTaken; the project keeps its name then."""
    cleaned = names.clean(name)
    try:
        with transaction.atomic():
            Project.objects.filter(pk=project.pk).update(name=cleaned)
    except IntegrityError as error:
        raise _taken(error, project.organization, cleaned) from error
    project.name = cleaned


def _taken(error: IntegrityError, organization: Organization, name: str) -> Exception:
    is_taken = Project.objects.for_organization(organization).filter(name=name).exists()
    return ProjectNameTaken(organization, name) if is_taken else error
