"""Everything that a newcomer needs to send the first span, made or found in one transaction."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts import api_keys, names, organizations, projects, users
from accounts.models import Organization, Project, User
from accounts.permissions import Role


@dataclass(frozen=True, slots=True)
class Provision:
    """`api_key` is the raw key and exists nowhere else."""

    organization_id: uuid.UUID
    project_id: uuid.UUID
    api_key: str


def provide_project(organization: str, project: str, owner_email: str) -> Provision:
    """Uses the owner's organisation and project of these names, else makes them; the key is new.

    An organisation that the owner does not own is another one, whatever its name. Two of these at
    once come to one organisation. Raises InvalidName, InvalidEmail.
    """
    email = users.clean_email(owner_email)
    wanted_organization, wanted_project = names.clean(organization), names.clean(project)
    with transaction.atomic():
        owner = _find_or_create_owner(email)
        found = _find_or_create_organization(wanted_organization, owner)
        chosen = Project.objects.for_organization(found).filter(name=wanted_project).first()
        if chosen is None:
            chosen = projects.create_project(found, wanted_project)
        _, raw = api_keys.create(chosen, "create_project", owner)
    return Provision(found.id, chosen.id, raw)


def _find_or_create_owner(email: str) -> User:
    """Locked, so that a second run for the same owner waits for this one."""
    if users.find(email) is None:
        # Another run may make the user in between; then theirs is found below.
        with suppress(IntegrityError), transaction.atomic():
            users.create(email)
    return User.objects.select_for_update().get(email=email)


def _find_or_create_organization(name: str, owner: User) -> Organization:
    owned = Organization.objects.filter(
        name=name, memberships__user=owner, memberships__role=Role.OWNER
    )
    found = owned.order_by("created_at", "id").first()
    return found or organizations.create_organization(name, owner)
