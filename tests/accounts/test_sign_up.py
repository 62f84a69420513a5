"""Signing up: only where it is open, and never onto somebody else's invitation."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from accounts import users
from accounts.models import Membership, Project, User
from accounts.permissions import Role
from tests.cast import SignIn

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery-9"


def test_sign_up_is_closed_unless_opened(sign_in: SignIn, settings: Settings) -> None:
    settings.SIGN_UP = "closed"
    browser = sign_in(None)
    form = {"email": "grace@initech.example", "password1": PASSWORD}
    browser.post("/accounts/signup/", form)
    assert not User.objects.exists()


def test_who_signs_up_owns_an_organisation_with_a_first_project(
    sign_in: SignIn, settings: Settings
) -> None:
    settings.SIGN_UP = "open"
    browser = sign_in(None)
    form = {"email": "Grace.Hopper+x@Initech.example", "password1": PASSWORD}
    assert browser.post("/accounts/signup/", form).status_code == 302
    membership = Membership.objects.get(user__email="grace.hopper+x@initech.example")
    assert membership.role == Role.OWNER
    assert membership.organization.name == "Grace Hopper’s organisation"
    project = Project.objects.get(organization=membership.organization)
    assert browser.get(f"/projects/{project.id}/settings/").status_code == 200


def test_an_address_with_a_very_long_name_still_gets_an_organisation(
    sign_in: SignIn, settings: Settings
) -> None:
    settings.SIGN_UP = "open"
    form = {"email": f"{'x' * 64}@initech.example", "password1": PASSWORD}
    assert sign_in(None).post("/accounts/signup/", form).status_code == 302
    assert Project.objects.count() == 1


def test_an_unconfirmed_address_cannot_be_made_a_member(
    sign_in: SignIn, settings: Settings, project: Project, ada: User
) -> None:
    settings.SIGN_UP = "open"
    form = {"email": "grace@initech.example", "password1": PASSWORD}
    sign_in(None).post("/accounts/signup/", form)
    impostor = User.objects.get(email="grace@initech.example")
    assert not users.has_confirmed(impostor)
    answer = sign_in(ada).post(
        f"/projects/{project.id}/settings/members/add/",
        {"email": impostor.email, "role": Role.VIEWER},
    )
    assert answer.status_code == 422
    assert not Membership.objects.filter(user=impostor, organization=project.organization).exists()
