"""manage.py create_project: one JSON line, idempotent, also twice at once."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts import api_keys, organizations
from accounts.models import ApiKey, Membership, Organization, Project, User
from accounts.permissions import Role

pytestmark = pytest.mark.django_db


def create_project(
    organization: str = "Initech", project: str = "Reports", owner: str = "peter@initech.example"
) -> dict[str, str]:
    out = io.StringIO()
    call_command(
        "create_project",
        "--organization", organization,
        "--project", project,
        "--owner-email", owner,
        stdout=out,
    )  # fmt: skip
    lines = out.getvalue().splitlines()
    assert len(lines) == 1
    answer: dict[str, str] = json.loads(lines[0])
    assert set(answer) == {"organization_id", "project_id", "api_key"}
    return answer


def test_it_makes_owner_organisation_project_and_key() -> None:
    answer = create_project()
    verified = api_keys.verify(answer["api_key"])
    assert verified is not None
    assert str(verified.project_id) == answer["project_id"]
    assert str(verified.organization_id) == answer["organization_id"]
    membership = Membership.objects.get(organization_id=uuid.UUID(answer["organization_id"]))
    assert (membership.user.email, membership.role) == ("peter@initech.example", Role.OWNER)
    assert not membership.user.has_usable_password()


def test_again_it_uses_what_exists_and_makes_a_new_key() -> None:
    first, second = create_project(), create_project(owner=" Peter@INITECH.example ")
    assert first["organization_id"] == second["organization_id"]
    assert first["project_id"] == second["project_id"]
    assert first["api_key"] != second["api_key"]
    assert api_keys.verify(first["api_key"]) is not None
    assert api_keys.verify(second["api_key"]) is not None


def test_a_second_project_joins_the_same_organisation() -> None:
    first, second = create_project(), create_project(project="Billing")
    assert first["organization_id"] == second["organization_id"]
    assert first["project_id"] != second["project_id"]


def test_somebody_elses_organisation_of_the_same_name_is_another_one(acme: Organization) -> None:
    answer = create_project(organization="Acme", owner="peter@initech.example")
    assert answer["organization_id"] != str(acme.pk)
    assert Membership.objects.filter(organization=acme).count() == 1


def test_being_a_member_is_not_owning(acme: Organization, ben: User) -> None:
    answer = create_project(organization="Acme", owner=ben.email)
    assert answer["organization_id"] != str(acme.pk)


def test_an_owner_who_was_added_later_owns_it_too(acme: Organization, mallory: User) -> None:
    organizations.add_member(acme, mallory, Role.OWNER)
    assert create_project("Acme", "Ops", mallory.email)["organization_id"] == str(acme.pk)


@pytest.mark.parametrize(
    ("organization", "project", "owner", "says"),
    [
        ("", "Reports", "peter@initech.example", "empty"),
        ("Initech", "x" * 101, "peter@initech.example", "101 characters"),
        ("Initech", "a\x07b", "peter@initech.example", "invisible"),
        ("Initech", "Reports", "peter", "not an email address"),
    ],
)
def test_bad_input_is_said_and_nothing_is_made(
    organization: str, project: str, owner: str, says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        create_project(organization, project, owner)
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_processes_at_once_come_to_one_organisation_and_project() -> None:
    command = [
        sys.executable, "-m", "django", "create_project",
        "--organization", "Initech", "--project", "Reports",
        "--owner-email", "peter@initech.example",
    ]  # fmt: skip
    running = [
        subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=environment_of_test_database(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    answers = []
    for process in running:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        answers.append(json.loads(out))
    assert answers[0]["organization_id"] == answers[1]["organization_id"]
    assert answers[0]["project_id"] == answers[1]["project_id"]
    assert answers[0]["api_key"] != answers[1]["api_key"]
    assert Organization.objects.count() == Project.objects.count() == User.objects.count() == 1
    assert ApiKey.objects.count() == 2


def environment_of_test_database() -> dict[str, str]:
    """Of another process that works on the database of this test."""
    database = settings.DATABASES["default"]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    environment["DJANGO_SETTINGS_MODULE"] = os.environ["DJANGO_SETTINGS_MODULE"]
    if "sqlite3" in database["ENGINE"]:
        # Settings take the file traceroot.sqlite3 of the data directory; SQLite follows links.
        link = Path(settings.DATA_DIR) / "second-process"
        link.mkdir(exist_ok=True)
        (link / "traceroot.sqlite3").unlink(missing_ok=True)
        (link / "traceroot.sqlite3").symlink_to(database["NAME"])
        environment["TRACEROOT_DATA_DIR"] = str(link)
    return environment
