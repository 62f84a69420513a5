"""What each role may do: one table, read by the access decorators and by templates.

Roles belong to a membership of an organisation and count for all of its projects. API keys have
scopes instead (`accounts.api_keys`).
"""

from __future__ import annotations

from typing import Literal, get_args

from django.db import models

Permission = Literal[
    "traces.read",
    "findings.read",
    "detectors.read",
    "debugging.read",
    "project.read",
    "findings.act",
    "debugging.start",
    "detectors.change",
    "keys.manage",
    "repositories.manage",
    "project.change",
    "traces.delete",
    "members.manage",
    "project.delete",
    "organization.delete",
    "organization.transfer",
]


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    MEMBER = "member", "Member"
    VIEWER = "viewer", "Viewer"


PERMISSIONS: frozenset[str] = frozenset(get_args(Permission))

_VIEWER: frozenset[Permission] = frozenset(
    {"traces.read", "findings.read", "detectors.read", "debugging.read", "project.read"}
)
_MEMBER: frozenset[Permission] = _VIEWER | {"findings.act", "debugging.start"}
_ADMIN: frozenset[Permission] = _MEMBER | {
    "detectors.change",
    "keys.manage",
    "repositories.manage",
    "project.change",
    "traces.delete",
    "members.manage",
}
_OWNER: frozenset[Permission] = _ADMIN | {
    "project.delete",
    "organization.delete",
    "organization.transfer",
}

TABLE: dict[str, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.MEMBER: _MEMBER,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _OWNER,
}


def of_role(role: str) -> frozenset[Permission]:
    """An unknown role has none."""
    return TABLE.get(role, frozenset())


def allows(role: str, permission: Permission) -> bool:
    """Whether a member with `role` has `permission`."""
    return permission in of_role(role)


def may_appoint(role: str, target: str) -> bool:
    """Whether a member with `role` may give or take away the role `target`."""
    if target == Role.OWNER:
        return allows(role, "organization.transfer")
    return allows(role, "members.manage")
