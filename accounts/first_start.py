"""The account of a fresh installation, so that nobody has to sign up on their own laptop."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass

from django.db import transaction

from accounts import api_keys, organizations, projects, users
from accounts.models import User

ADMIN_EMAIL = "admin@traceroot.local"


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """What to print once: `password` and `api_key` are kept as hashes only."""

    email: str
    password: str
    organization_id: uuid.UUID
    organization_name: str
    project_id: uuid.UUID
    project_name: str
    api_key: str


@transaction.atomic
def ensure_first_account(
    *,
    email: str = ADMIN_EMAIL,
    password: str | None = None,
    organization_name: str = "My organisation",
    project_name: str = "My project",
) -> FirstAccount | None:
    """Makes an administrator with a project and a key; None when there is a user already."""
    if User.objects.exists():
        return None
    chosen_password = password or secrets.token_urlsafe(12)
    admin = users.create(email, name="Administrator", password=chosen_password, is_superuser=True)
    organization = organizations.create_organization(organization_name, admin)
    project = projects.create_project(organization, project_name)
    _, raw = api_keys.create(project, "First start", admin)
    return FirstAccount(
        email=admin.email,
        password=chosen_password,
        organization_id=organization.id,
        organization_name=organization.name,
        project_id=project.id,
        project_name=project.name,
        api_key=raw,
    )
