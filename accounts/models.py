"""People, what they belong to, and the keys of their programs.

Rows are made and changed through the functions beside this module (`users`, `organizations`,
`projects`, `api_keys`), which hold the rules that no constraint can express.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.ownership import (
    OrganizationOwned,
    OrganizationOwnedQuerySet,
    ProjectOwned,
    ProjectOwnedQuerySet,
)
from accounts.permissions import Permission, Role, allows, of_role

NAME_MAX_CHARACTERS = 100
DEFAULT_SCOPES = ("ingest", "read")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Without a password nobody can sign in until one is set by a reset mail."""
        if not email:
            raise ValueError("A user needs an email address.")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(
            email, password, **{"is_staff": True, "is_superuser": True} | fields
        )

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Lower case throughout: two people never share an address that differs in case only."""
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=self.normalize_email(username))


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in with an email address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField("email address", max_length=254, unique=True)
    name = models.CharField(max_length=NAME_MAX_CHARACTERS, blank=True)
    is_active = models.BooleanField(
        default=True,
        help_text="Without it the person cannot sign in. Use this instead of deletion.",
    )
    is_staff = models.BooleanField(
        default=False, help_text="May use the administration of the server."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(Lower("email"), name="user_email_is_unique_in_any_case"),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def of_user(self, user: User) -> OrganizationQuerySet:
        return self.filter(memberships__user=user).order_by("name", "id")


class Organization(models.Model):
    """The owner of projects and the party that people are members of. Names may repeat."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=NAME_MAX_CHARACTERS)
    slug = models.SlugField(max_length=NAME_MAX_CHARACTERS, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = OrganizationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(OrganizationOwnedQuerySet["Membership"]):
    def owners(self) -> MembershipQuerySet:
        return self.filter(role=Role.OWNER)


class Membership(OrganizationOwned):
    """That a user belongs to an organisation, and as what."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="memberships"
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["organization", "user"], name="membership_is_unique_per_user"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="membership_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"

    @property
    def permissions(self) -> frozenset[Permission]:
        """For templates: `{% if "keys.manage" in membership.permissions %}`."""
        return of_role(self.role)

    def may(self, permission: Permission) -> bool:
        return allows(self.role, permission)


class ProjectQuerySet(OrganizationOwnedQuerySet["Project"]):
    def of_user(self, user: User) -> ProjectQuerySet:
        """What the user may see, by organisation and name, organisations loaded."""
        return (
            self.filter(organization__memberships__user=user)
            .select_related("organization")
            .order_by("organization__name", "organization_id", "name", "id")
        )


class Project(OrganizationOwned):
    """What traces, detectors and debugging sessions belong to: one application."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="projects"
    )
    name = models.CharField(max_length=NAME_MAX_CHARACTERS)
    retention_days = models.PositiveIntegerField(
        default=0, help_text="How long spans are kept. 0 keeps them without end."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["organization", "name"], name="project_name_is_unique_per_organization"
            ),
        ]

    def __str__(self) -> str:
        return self.name


def default_scopes() -> list[str]:
    return list(DEFAULT_SCOPES)


class ApiKeyQuerySet(ProjectOwnedQuerySet["ApiKey"]):
    def newest(self) -> ApiKeyQuerySet:
        return self.order_by("-created_at", "id")


class ApiKey(ProjectOwned):
    """A program's permission to use one project. The key itself is not kept, only its hash."""

    name = models.CharField(max_length=NAME_MAX_CHARACTERS)
    hashed = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256, hex
    prefix = models.CharField(max_length=8, default="tr-", editable=False)
    hint = models.CharField(max_length=4, editable=False)  # the last four characters
    scopes = models.JSONField(default=default_scopes)
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.masked})"

    @property
    def masked(self) -> str:
        """What may be shown of the key, for instance tr-…93cd."""
        return f"{self.prefix}…{self.hint}"
