"""Members: who may appoint whom, and that an organisation keeps an owner."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import organizations
from accounts.models import Membership, Organization, User
from accounts.organizations import AlreadyMember, LastOwner, NotEntitled
from accounts.permissions import Role


def membership_of(user: User, organization: Organization) -> Membership:
    return Membership.objects.get(user=user, organization=organization)


def test_who_creates_an_organisation_owns_it(acme: Organization, ada: User) -> None:
    assert membership_of(ada, acme).role == Role.OWNER


def test_two_organisations_may_share_a_name_but_not_a_slug(
    acme: Organization, mallory: User
) -> None:
    second = organizations.create_organization("Acme", mallory)
    assert second.pk != acme.pk
    assert second.slug != acme.slug


def test_the_last_owner_cannot_be_removed(acme: Organization, ada: User) -> None:
    with pytest.raises(LastOwner, match="Make somebody else an owner first"):
        organizations.remove_member(membership_of(ada, acme))


def test_the_last_owner_cannot_step_down(acme: Organization, ada: User, ben: User) -> None:
    with pytest.raises(LastOwner):
        organizations.change_role(membership_of(ada, acme), Role.ADMIN)
    assert membership_of(ada, acme).role == Role.OWNER


def test_an_owner_may_leave_when_there_is_another(acme: Organization, ada: User, ben: User) -> None:
    organizations.change_role(membership_of(ben, acme), Role.OWNER)
    organizations.remove_member(membership_of(ada, acme))
    assert not Membership.objects.filter(user=ada).exists()


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_leave_one_owner(
    acme: Organization, ada: User, ben: User
) -> None:
    organizations.change_role(membership_of(ben, acme), Role.OWNER)
    start, refused = threading.Barrier(2), []

    def leave(membership: Membership) -> None:
        start.wait()
        try:
            organizations.remove_member(membership)
        except LastOwner as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=leave, args=(membership_of(user, acme),)) for user in (ada, ben)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(refused) == 1
    assert Membership.objects.for_organization(acme).owners().count() == 1


def test_nobody_is_a_member_twice(acme: Organization, ben: User) -> None:
    with pytest.raises(AlreadyMember):
        organizations.add_member(acme, ben, Role.VIEWER)
    assert membership_of(ben, acme).role == Role.MEMBER


def test_the_database_refuses_a_second_membership_and_an_unknown_role(
    acme: Organization, ben: User, mallory: User
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(organization=acme, user=ben, role=Role.VIEWER)
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(organization=acme, user=mallory, role="emperor")


def test_the_database_refuses_an_address_that_differs_in_case_only(ada: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(email="ADA@acme.example")])


def test_an_admin_cannot_make_or_remove_an_owner(
    acme: Organization, ada: User, aaron: User, ben: User
) -> None:
    admin = membership_of(aaron, acme)
    with pytest.raises(NotEntitled, match="Only an owner"):
        organizations.change_role(membership_of(ben, acme), Role.OWNER, by=admin)
    with pytest.raises(NotEntitled, match="Only an owner"):
        organizations.change_role(membership_of(ada, acme), Role.MEMBER, by=admin)
    with pytest.raises(NotEntitled, match="Only an owner"):
        organizations.remove_member(membership_of(ada, acme), by=admin)


def test_a_member_cannot_add_anybody(acme: Organization, ben: User, mallory: User) -> None:
    with pytest.raises(NotEntitled, match="owners and admins"):
        organizations.add_member(acme, mallory, Role.VIEWER, by=membership_of(ben, acme))


def test_the_owner_of_another_organisation_appoints_nobody_here(
    acme: Organization, globex: Organization, ben: User, mallory: User
) -> None:
    foreign = membership_of(mallory, globex)
    with pytest.raises(NotEntitled):
        organizations.add_member(acme, mallory, Role.VIEWER, by=foreign)
    with pytest.raises(NotEntitled):
        organizations.change_role(membership_of(ben, acme), Role.VIEWER, by=foreign)


def test_a_member_may_leave(acme: Organization, ben: User) -> None:
    mine = membership_of(ben, acme)
    organizations.remove_member(mine, by=mine)
    assert not Membership.objects.filter(user=ben).exists()
