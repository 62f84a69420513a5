"""The permission table."""

from __future__ import annotations

import itertools

import pytest

from accounts import permissions
from accounts.permissions import PERMISSIONS, TABLE, Permission, Role


def test_every_role_has_a_line_and_every_permission_a_role() -> None:
    assert set(TABLE) == set(Role.values)
    assert frozenset().union(*TABLE.values()) == PERMISSIONS


def test_each_role_may_all_that_the_one_below_may() -> None:
    ladder = [TABLE[role] for role in (Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER)]
    for lower, higher in itertools.pairwise(ladder):
        assert lower < higher


@pytest.mark.parametrize(
    ("permission", "lowest"),
    [
        ("traces.read", Role.VIEWER),
        ("findings.read", Role.VIEWER),
        ("detectors.read", Role.VIEWER),
        ("debugging.read", Role.VIEWER),
        ("project.read", Role.VIEWER),
        ("findings.act", Role.MEMBER),
        ("debugging.start", Role.MEMBER),
        ("detectors.change", Role.ADMIN),
        ("keys.manage", Role.ADMIN),
        ("repositories.manage", Role.ADMIN),
        ("project.change", Role.ADMIN),
        ("members.manage", Role.ADMIN),
        ("organization.delete", Role.OWNER),
        ("organization.transfer", Role.OWNER),
    ],
)
def test_the_lowest_role_with_a_permission(permission: Permission, lowest: Role) -> None:
    ladder = [Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER]
    allowed = [role for role in ladder if permissions.allows(role, permission)]
    assert allowed == ladder[ladder.index(lowest) :]


def test_an_unknown_role_may_nothing() -> None:
    assert not permissions.allows("emperor", "traces.read")
    assert not permissions.may_appoint("emperor", Role.VIEWER)


def test_only_owners_appoint_owners() -> None:
    assert permissions.may_appoint(Role.OWNER, Role.OWNER)
    assert not permissions.may_appoint(Role.ADMIN, Role.OWNER)
    assert permissions.may_appoint(Role.ADMIN, Role.ADMIN)
    assert not permissions.may_appoint(Role.MEMBER, Role.VIEWER)
