"""The account of a fresh installation."""

from __future__ import annotations

import pytest

from accounts import api_keys, organizations
from accounts.first_start import ADMIN_EMAIL, ensure_first_account
from accounts.models import Membership, User
from accounts.permissions import Role
from tests.cast import SignIn

pytestmark = pytest.mark.django_db


def test_an_empty_database_gets_an_administrator_with_project_and_key(sign_in: SignIn) -> None:
    first = ensure_first_account()
    assert first is not None
    assert (first.email, first.organization_name, first.project_name) == (
        ADMIN_EMAIL,
        "My organisation",
        "My project",
    )
    admin = User.objects.get()
    assert admin.is_superuser
    assert admin.is_staff
    assert Membership.objects.get(user=admin).role == Role.OWNER
    verified = api_keys.verify(first.api_key)
    assert verified is not None
    assert verified.project_id == first.project_id


def test_the_printed_password_signs_in(sign_in: SignIn) -> None:
    first = ensure_first_account()
    assert first is not None
    browser = sign_in(None)
    answer = browser.post("/accounts/login/", {"login": first.email, "password": first.password})
    assert answer.status_code == 302
    assert browser.get(f"/projects/{first.project_id}/settings/").status_code == 200


def test_two_installations_have_different_passwords() -> None:
    first = ensure_first_account()
    User.objects.all().delete()
    second = ensure_first_account()
    assert first is not None
    assert second is not None
    assert first.password != second.password
    assert len(first.password) >= 16


def test_where_somebody_is_already_nothing_is_made() -> None:
    assert ensure_first_account() is not None
    assert ensure_first_account() is None
    assert User.objects.count() == 1


def test_people_made_by_command_count_too(ada: User) -> None:
    organizations.create_organization("Acme", ada)
    assert ensure_first_account() is None
