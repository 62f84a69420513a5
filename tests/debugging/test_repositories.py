"""Which repositories may be added, and which one a trace ran from."""

from __future__ import annotations

import datetime as dt
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Project
from debugging import git, matching, repositories
from debugging.models import Repository
from debugging.repositories import (
    InvalidRepositoryName,
    LocationRefused,
    RepositoryNameTaken,
)
from tests.debugging import git_server
from tests.debugging.histories import History
from tests.debugging.processes import processes_with

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agent(tmp_path: Path, settings: Any) -> History:
    """A repository below the only allowed root."""
    settings.REPOSITORY_ROOTS = [tmp_path / "allowed"]
    history = History(tmp_path / "allowed" / "agent")
    history.commit("Start", {"a.py": "a = 1\n"})
    return history


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("", "needs an https address or a path"),
        ("http://93.184.216.34/acme/agent", "https only"),
        ("git://93.184.216.34/acme/agent", "https only"),
        ("ssh://git@93.184.216.34/acme/agent", "https only"),
        ("file:///etc", "https only"),
        ("ext::sh -c touch% /tmp/owned", "helper program"),
        ("--upload-pack=touch /tmp/owned", "needs an https address or a path"),
        ("https://user:secret@93.184.216.34/acme/agent", "Leave user and password out"),
        ("https://127.0.0.1/acme/agent", "not a public address"),
        ("https://169.254.169.254/latest/meta-data", "not a public address"),
        ("https://[::1]/acme/agent", "not a public address"),
        ("/etc", "not under a root"),
        ("/proc/self/root", "not under a root"),
        ("https://93.184.216.34/acme/agent\nx", "needs an https address or a path"),
    ],
)
def test_hostile_locations_are_refused(
    agent: History, project: Project, location: str, reason: str
) -> None:
    with pytest.raises(LocationRefused, match=reason):
        repositories.add(project, name="acme/agent", location=location)
    assert not Repository.objects.exists()


def test_a_path_that_climbs_or_links_out_of_the_root_is_refused(
    agent: History, project: Project, tmp_path: Path
) -> None:
    outside = History(tmp_path / "outside")
    outside.commit("Start", {"secret.py": "x = 1\n"})
    (tmp_path / "allowed" / "link").symlink_to(outside.directory)
    for location in (f"{agent.directory}/../../outside", f"{tmp_path}/allowed/link"):
        with pytest.raises(LocationRefused, match="not under a root"):
            repositories.add(project, name="x", location=location)


def test_without_roots_only_the_demo_is_allowed_off_loopback(
    agent: History, project: Project, settings: Any
) -> None:
    settings.REPOSITORY_ROOTS = []
    settings.TRACEROOT_IS_LOOPBACK = False
    with pytest.raises(LocationRefused, match="not under a root"):
        repositories.add(project, name="acme/agent", location=str(agent.directory))
    demo = History(Path(settings.DATA_DIR) / "demo" / "agents")
    demo.commit("Start", {"a.py": "a = 1\n"})
    assert repositories.add(project, name="demo", location=str(demo.directory)).name == "demo"


def test_mirrors_of_other_projects_cannot_be_named_as_a_source(
    agent: History, project: Project, other_project: Project, settings: Any
) -> None:
    theirs = repositories.add(other_project, name="x", location=str(agent.directory))
    mirror = repositories.fetch(theirs)
    settings.REPOSITORY_ROOTS = [Path(settings.DATA_DIR).parent]
    with pytest.raises(LocationRefused, match="installation's own data"):
        repositories.add(project, name="x", location=str(mirror.directory))


@pytest.mark.parametrize("name", ["acme agent", "../x y", "a//b", "<b>", "x" * 201, "a\0b"])
def test_names_that_no_trace_could_give_are_refused(
    agent: History, project: Project, name: str
) -> None:
    with pytest.raises(InvalidRepositoryName):
        repositories.add(project, name=name, location=str(agent.directory))


def test_a_name_is_taken_in_its_project_only(
    agent: History, project: Project, other_project: Project
) -> None:
    location = str(agent.directory)
    repositories.add(project, name="acme/agent", location=location)
    with pytest.raises(RepositoryNameTaken):
        repositories.add(project, name="Acme/Agent.git", location=location)
    repositories.add(other_project, name="acme/agent", location=location)


def test_the_name_comes_from_the_location_when_none_is_given(
    agent: History, project: Project
) -> None:
    assert repositories.add(project, name="", location=f"{agent.directory}/").name == "agent"


@pytest.mark.parametrize(
    "git_repo",
    ["acme/agent", "Acme/Agent", "https://github.com/acme/agent.git", "git@github.com:acme/agent"],
)
def test_a_trace_finds_its_repository_whatever_it_calls_it(
    agent: History, project: Project, git_repo: str
) -> None:
    location = str(agent.directory)
    repositories.add(project, name="acme/other", location=location)
    wanted = repositories.add(project, name="acme/agent", location=location)
    assert matching.match(project, git_repo).repository == wanted


def test_the_only_repository_is_taken_and_says_so(agent: History, project: Project) -> None:
    only = repositories.add(project, name="acme/agent", location=str(agent.directory))
    match = matching.match(project, "acme/renamed")
    assert match.repository == only
    assert "the only one of this project" in match.note


def test_among_several_a_stranger_matches_none(agent: History, project: Project) -> None:
    for name in ("acme/one", "acme/two"):
        repositories.add(project, name=name, location=str(agent.directory))
    match = matching.match(project, "globex/agent")
    assert match.repository is None
    assert "Add the repository globex/agent" in match.note


def test_an_added_repository_is_fetched_by_the_next_worker(
    agent: History, project: Project
) -> None:
    repository = repositories.add(project, name="acme/agent", location=str(agent.directory))
    assert repositories.fetch_requested() == 1
    repository.refresh_from_db()
    assert repository.default_branch == "main"
    assert repository.last_fetched_at is not None
    assert repository.last_error == ""
    assert repositories.fetch_requested() == 0


def test_a_failed_fetch_leaves_its_reason_on_the_row(agent: History, project: Project) -> None:
    repository = repositories.add(project, name="acme/agent", location=str(agent.directory))
    agent.directory.rename(agent.directory.with_name("moved"))
    repositories.fetch_requested()
    repository.refresh_from_db()
    assert "There is no directory" in repository.last_error
    assert repository.fetch_requested_at is None
    with pytest.raises(git.GitError):
        repositories.fetch(repository)


def test_removing_a_repository_removes_what_was_fetched(agent: History, project: Project) -> None:
    repository = repositories.add(project, name="acme/agent", location=str(agent.directory))
    directory = repositories.fetch(repository).directory
    assert directory.is_dir()
    repositories.remove(repository)
    assert not directory.exists()
    assert (agent.directory / ".git").is_dir()


def test_the_address_is_checked_before_the_name(agent: History, project: Project) -> None:
    with pytest.raises(LocationRefused, match=r"https only.*https://github\.com/acme/agent\.git"):
        repositories.add(project, name="", location="git@github.com:acme/agent.git")
    with pytest.raises(LocationRefused, match="must begin with / and lie under a root"):
        repositories.add(project, name="", location="../../etc")


def test_what_is_asked_for_during_a_fetch_is_fetched_once_more(
    agent: History, project: Project
) -> None:
    repository = repositories.add(project, name="acme/agent", location=str(agent.directory))
    later = timezone.now() + dt.timedelta(seconds=1)

    def clock() -> dt.datetime:
        if Repository.objects.filter(fetch_lease_expires_at__isnull=False).exists():
            repositories.request_fetch(repository, later)
        return timezone.now()

    assert repositories.fetch_requested(clock) == 1
    repository.refresh_from_db()
    assert repository.fetch_requested_at == later
    assert repository.fetch_lease_expires_at is None


def test_removing_a_repository_stops_its_fetch(
    agent: History, project: Project, tmp_path: Path, settings: Any
) -> None:
    settings.REPOSITORY_ALLOW_PRIVATE_ADDRESSES = True
    settings.REPOSITORY_CA_FILE = tmp_path / "certificates" / "ca.pem"
    with git_server.running(
        agent.directory.parent, "t", certificates=tmp_path / "certificates"
    ) as server:
        location = f"{server.address}/agent/.git"
        repository = repositories.add(project, name="x", location=location, token="t")
        directory = repositories.mirror_directory(repository)
        server.hold.set()

        def remove() -> None:
            server.reached.wait(30)
            repositories.remove(repository)
            connection.close()

        thread = threading.Thread(target=remove)
        thread.start()
        started = time.monotonic()
        repositories.fetch_requested()
        thread.join()
        assert time.monotonic() - started < 20
        assert not processes_with(server.address)
    assert not directory.exists()
