"""The people and projects of every test.

Ada owns Acme, Aaron is its admin, Ben a member, Vera a viewer; Acme's project is Support. Mallory
owns Globex and its project Sales, and is an outsider of Acme.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import api_keys, organizations, projects, users
from accounts.models import Organization, Project, User
from accounts.permissions import Role

SignIn = Callable[[User | None], Client]


@pytest.fixture
def ada(db: None) -> User:
    """Owner of Acme."""
    return users.create("ada@acme.example", name="Ada Lovelace")


@pytest.fixture
def aaron(acme: Organization) -> User:
    """Admin of Acme."""
    return _member(acme, "aaron@acme.example", "Aaron Swift", Role.ADMIN)


@pytest.fixture
def ben(acme: Organization) -> User:
    """Member of Acme."""
    return _member(acme, "ben@acme.example", "Ben Okri", Role.MEMBER)


@pytest.fixture
def vera(acme: Organization) -> User:
    """Viewer of Acme."""
    return _member(acme, "vera@acme.example", "Vera Rubin", Role.VIEWER)


@pytest.fixture
def mallory(db: None) -> User:
    """Owner of Globex, outsider of Acme."""
    return users.create("mallory@globex.example", name="Mallory Fox")


@pytest.fixture
def acme(ada: User) -> Organization:
    return organizations.create_organization("Acme", ada)


@pytest.fixture
def globex(mallory: User) -> Organization:
    return organizations.create_organization("Globex", mallory)


@pytest.fixture
def project(acme: Organization) -> Project:
    """Acme's."""
    return projects.create_project(acme, "Support")


@pytest.fixture
def other_project(globex: Organization) -> Project:
    """Globex's."""
    return projects.create_project(globex, "Sales")


@pytest.fixture
def api_key(project: Project, ada: User) -> str:
    """The raw key of a program of Acme."""
    return api_keys.create(project, "Production agents", ada)[1]


@pytest.fixture
def other_api_key(other_project: Project, mallory: User) -> str:
    """The raw key of a program of Globex."""
    return api_keys.create(other_project, "Sales agents", mallory)[1]


@pytest.fixture
def sign_in() -> SignIn:
    """A browser in which the given user is signed in; nobody for None."""

    def open_browser(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return open_browser


def _member(organization: Organization, email: str, name: str, role: Role) -> User:
    user = users.create(email, name=name)
    organizations.add_member(organization, user, role)
    return user
