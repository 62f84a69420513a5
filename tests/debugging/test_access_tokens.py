"""A private repository is fetched with its token, which nobody sees again: over real https, from
the form to the server."""

from __future__ import annotations

import base64
import logging
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Project, User
from debugging import access_tokens, repositories
from debugging.access_tokens import AccessTokenUnreadable
from debugging.models import Repository
from debugging.repositories import TokenRefused
from tests.cast import SignIn
from tests.debugging import git_server
from tests.debugging.git_server import GitServer
from tests.debugging.histories import History
from tests.debugging.processes import shown

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def token() -> str:
    return f"ghs_{secrets.token_hex(20)}"


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "served" / "agent")
    made.commit("Start", {"a.py": "a = 1\n"})
    return made


@pytest.fixture
def server(history: History, token: str, tmp_path: Path, settings: Any) -> Iterator[GitServer]:
    """Acme's own git server, in its network and with a certificate of its own."""
    settings.REPOSITORY_ALLOW_PRIVATE_ADDRESSES = True
    settings.REPOSITORY_CA_FILE = tmp_path / "certificates" / "ca.pem"
    with git_server.running(
        history.directory.parent, token, certificates=tmp_path / "certificates"
    ) as server:
        yield server


def location(server: GitServer) -> str:
    return f"{server.address}/agent/.git"


@pytest.fixture
def repository(server: GitServer, project: Project, token: str) -> Repository:
    return repositories.add(project, name="acme/agent", location=location(server), token=token)


def post(browser: Client, name: str, project: Project, data: Any = None, **kwargs: object) -> Any:
    url = reverse(f"debugging:{name}", kwargs={"project_id": project.id, **kwargs})
    return browser.post(url, data or {}, follow=True)


def written_as(token: str) -> tuple[str, str]:
    """A token as it is, and as it is sent."""
    return token, base64.b64encode(f"x-access-token:{token}".encode()).decode()


def test_aaron_adds_a_private_repository_and_it_is_fetched_with_the_token(
    store: object,
    server: GitServer,
    project: Project,
    aaron: User,
    sign_in: SignIn,
    token: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    form = {"location": location(server), "name": "acme/agent", "token": token}
    page = post(sign_in(aaron), "add_repository", project, form).content.decode()
    assert f"…{token[-4:]}" in page
    assert token not in page

    repositories.fetch_requested()

    repository = Repository.objects.get()
    assert repository.last_error == ""
    assert repository.default_branch == "main"
    assert server.authorizations[0] == f"Basic {written_as(token)[1]}"
    for written in written_as(token):
        assert written not in caplog.text
        assert written.encode() not in everything_kept()


def test_nobody_on_the_machine_sees_the_token_while_it_is_used(
    server: GitServer, repository: Repository, token: str
) -> None:
    server.hold.set()

    def fetch() -> None:
        repositories.fetch_requested()
        connection.close()

    thread = threading.Thread(target=fetch)
    thread.start()
    try:
        assert server.reached.wait(30), "the server was not asked for a pack"
        seen = shown()
    finally:
        server.released.set()
        thread.join()
    assert [one for one in seen if server.address in one], "git should have been running"
    assert not [one for one in seen for written in written_as(token) if written in one]
    repository.refresh_from_db()
    assert repository.default_branch == "main"


def test_without_a_token_the_page_says_how_to_give_one_and_giving_it_helps(
    store: object,
    server: GitServer,
    project: Project,
    aaron: User,
    sign_in: SignIn,
    token: str,
) -> None:
    repository = repositories.add(project, name="acme/agent", location=location(server))
    repositories.fetch_requested()
    browser = sign_in(aaron)
    url = reverse("debugging:repositories", kwargs={"project_id": project.id})
    page = browser.get(url).content.decode()
    assert "set an access token that may read it" in page

    data = {"token": token}
    post(browser, "set_repository_token", project, data, repository_id=repository.id)
    repositories.fetch_requested()

    repository.refresh_from_db()
    assert repository.last_error == ""
    assert token not in browser.get(url).content.decode()


def test_a_token_is_replaced_and_removed(
    store: object,
    server: GitServer,
    repository: Repository,
    project: Project,
    aaron: User,
    sign_in: SignIn,
) -> None:
    browser = sign_in(aaron)
    other = f"ghs_{secrets.token_hex(20)}"
    data = {"token": other}
    page = post(browser, "set_repository_token", project, data, repository_id=repository.id)
    assert f"…{other[-4:]}" in page.content.decode()
    repository.refresh_from_db()
    assert access_tokens.of(repository) == other

    post(browser, "remove_repository_token", project, repository_id=repository.id)
    repository.refresh_from_db()
    assert access_tokens.of(repository) is None
    assert repository.token_hint == ""
    assert repository.fetch_requested_at is not None


def test_the_form_of_a_new_token_cannot_remove_the_one_in_use(
    store: object, repository: Repository, project: Project, aaron: User, sign_in: SignIn
) -> None:
    """Enter in the field presses the form's first button, whatever it says."""
    url = reverse("debugging:repositories", kwargs={"project_id": project.id})
    page = sign_in(aaron).get(url).content.decode()
    values = {"project_id": project.id, "repository_id": repository.id}
    start = page.index(f'action="{reverse("debugging:set_repository_token", kwargs=values)}"')
    form = page[start : page.index("</form>", start)]
    own = [button for button in form.split("<button")[1:] if 'type="submit"' in button]
    assert ["form=" in button for button in own] == [True, False]
    assert "Replace token" in own[1]
    assert "formaction" not in form


def test_a_token_can_be_set_while_the_server_cannot_be_found(project: Project) -> None:
    repository = Repository.objects.create(
        project=project, name="acme/agent", location="https://git.acme.invalid/agent"
    )
    repositories.set_token(repository, "ghs_new", timezone.now())
    repository.refresh_from_db()
    assert access_tokens.of(repository) == "ghs_new"


@pytest.mark.parametrize("hostile", ["a b", "tok\nX-Evil: 1", "tökén", "x" * 501, ""])
def test_what_is_no_token_leaves_the_one_in_use(
    store: object,
    repository: Repository,
    project: Project,
    aaron: User,
    sign_in: SignIn,
    token: str,
    hostile: str,
) -> None:
    browser, data = sign_in(aaron), {"token": hostile}
    page = post(browser, "set_repository_token", project, data, repository_id=repository.id)
    assert "is unchanged" in page.content.decode()
    repository.refresh_from_db()
    assert access_tokens.of(repository) == token


def test_ben_may_not_touch_a_token(
    store: object, repository: Repository, project: Project, ben: User, sign_in: SignIn, token: str
) -> None:
    browser = sign_in(ben)
    for name in ("set_repository_token", "remove_repository_token"):
        answer = post(browser, name, project, {"token": "x"}, repository_id=repository.id)
        assert answer.status_code == 403
    repository.refresh_from_db()
    assert access_tokens.of(repository) == token


def test_a_refused_token_is_not_written_back_into_the_form(
    store: object, server: GitServer, project: Project, aaron: User, sign_in: SignIn
) -> None:
    form = {"location": location(server), "name": "acme/agent", "token": "secret with spaces"}
    answer = post(sign_in(aaron), "add_repository", project, form)
    assert answer.status_code == 422
    assert "This is no access token" in answer.content.decode()
    assert "secret with spaces" not in answer.content.decode()


def test_a_path_takes_no_token(history: History, project: Project, settings: Any) -> None:
    settings.REPOSITORY_ROOTS = [history.directory.parent]
    with pytest.raises(TokenRefused, match="needs no access token"):
        repositories.add(project, name="x", location=str(history.directory), token="ghs_x")


def test_a_token_moves_to_no_other_address_and_no_other_row(
    repository: Repository, other_project: Project
) -> None:
    Repository.objects.update(location="https://mallory.example/agent")
    repository.refresh_from_db()
    with pytest.raises(AccessTokenUnreadable, match="Set the token again"):
        repositories.fetch(repository)
    repository.refresh_from_db()
    assert "Set the token again" in repository.last_error
    copy = Repository(project=other_project, name="copy", location=repository.location)
    copy.sealed_token = repository.sealed_token
    with pytest.raises(AccessTokenUnreadable):
        access_tokens.of(copy)


def test_a_new_secret_key_is_said_and_setting_the_token_again_helps(
    server: GitServer, repository: Repository, token: str, settings: Any
) -> None:
    settings.SECRET_KEY = "another key of this server, long enough"
    repositories.fetch_requested()
    repository.refresh_from_db()
    assert "cannot be read any more" in repository.last_error
    repositories.set_token(repository, token, timezone.now())
    repositories.fetch_requested()
    repository.refresh_from_db()
    assert repository.last_error == ""


def test_the_end_of_a_short_token_is_not_shown(server: GitServer, project: Project) -> None:
    repository = repositories.add(
        project, name="acme/agent", location=location(server), token="ada:pass"
    )
    assert repository.token_hint == ""
    assert repository.has_token


def everything_kept() -> bytes:
    """All files of the data directory, the database among them, and what lies in memory files'
    stead for children of ours."""
    kept = [Path(django_settings.DATA_DIR), Path(str(connection.settings_dict["NAME"])).parent]
    found = []
    for root in kept:
        for folder, _, names in os.walk(root):
            for name in names:
                path = Path(folder, name)
                if path.is_file() and "engine" not in path.parts:
                    found.append(path.read_bytes())
    return b"".join(found)
