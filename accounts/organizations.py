"""Organisations and who belongs to them.

An organisation never loses its last owner through these functions. No constraint can say that, so
every change of members first locks the organisation's row (on SQLite the transaction locks all).
"""

from __future__ import annotations

import secrets
from contextlib import suppress

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts import names, permissions
from accounts.models import Membership, Organization, User
from accounts.permissions import Role


class MembershipError(Exception):
    """A change of members that is refused; the message is meant for the person who tried."""


class AlreadyMember(MembershipError):
    pass


class LastOwner(MembershipError):
    pass


class NotEntitled(MembershipError):
    pass


@transaction.atomic
def create_organization(name: str, owner: User) -> Organization:
    """With its first member. Names may repeat, slugs do not. Raises InvalidName."""
    organization = _create_with_free_slug(names.clean(name))
    Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    return organization


@transaction.atomic
def add_member(
    organization: Organization, user: User, role: str, *, by: Membership | None = None
) -> Membership:
    """`by` is who does it; None is the operator. Raises AlreadyMember, NotEntitled."""
    _require_right_to_appoint(by, organization, role)
    try:
        with transaction.atomic():
            return Membership.objects.create(organization=organization, user=user, role=role)
    except IntegrityError:
        require_not_member(organization, user)
        raise


def require_not_member(organization: Organization, user: User) -> None:
    """Raises AlreadyMember."""
    if Membership.objects.for_organization(organization).filter(user=user).exists():
        raise AlreadyMember(f"{user.email} is a member of {organization.name} already.")


@transaction.atomic
def change_role(membership: Membership, role: str, *, by: Membership | None = None) -> None:
    """Raises LastOwner, NotEntitled."""
    current = _lock(membership)
    _require_right_to_appoint(by, membership.organization, current.role, role)
    if current.role == Role.OWNER and role != Role.OWNER:
        _require_other_owner(current)
    current.role = role
    current.save(update_fields=["role"])
    membership.role = role


@transaction.atomic
def remove_member(membership: Membership, *, by: Membership | None = None) -> None:
    """People may remove themselves. Raises LastOwner, NotEntitled."""
    current = _lock(membership)
    if by is None or by.pk != membership.pk:
        _require_right_to_appoint(by, membership.organization, current.role)
    if current.role == Role.OWNER:
        _require_other_owner(current)
    current.delete()


def _lock(membership: Membership) -> Membership:
    """The membership as it is now, while nobody else can change a member of the organisation."""
    Organization.objects.select_for_update().get(pk=membership.organization_id)
    return Membership.objects.select_related("user", "organization").get(pk=membership.pk)


def _require_right_to_appoint(
    by: Membership | None, organization: Organization, *roles: str
) -> None:
    for role in roles:
        if role not in Role.values:
            raise NotEntitled(f"There is no role “{role}”; choose one of {', '.join(Role.values)}.")
    if by is None:
        return
    if by.organization_id != organization.pk:
        raise NotEntitled(f"You are not a member of {organization.name}.")
    if not all(permissions.may_appoint(by.role, role) for role in roles):
        raise NotEntitled(
            "Only an owner can make, change or remove owners."
            if permissions.allows(by.role, "members.manage")
            else "Only owners and admins can change members."
        )


def _require_other_owner(membership: Membership) -> None:
    owners = Membership.objects.for_organization(membership.organization_id).owners()
    if not owners.exclude(pk=membership.pk).exists():
        raise LastOwner(
            f"{membership.user.email} is the last owner of {membership.organization.name}. "
            "Make somebody else an owner first."
        )


def _create_with_free_slug(name: str) -> Organization:
    base = slugify(name)[:80] or "organization"
    slug = base
    while True:
        if not Organization.objects.filter(slug=slug).exists():
            # Somebody else may take the slug between the look and the insert.
            with suppress(IntegrityError), transaction.atomic():
                return Organization.objects.create(name=name, slug=slug)
        slug = f"{base}-{secrets.token_hex(4)}"
