"""Who may see and do what on the pages of debugging, and how they answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Project, User
from debugging import repositories, sessions
from debugging.models import DebuggingSession, Repository
from tests.cast import SignIn
from tests.debugging.histories import History
from tests.debugging.runs import store_failed_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session(store: object, project: Project, ben: User) -> DebuggingSession:
    trace_id = store_failed_run(project, "Traceback\nValueError: no")
    return sessions.start(project, trace_id, ben)


@pytest.fixture
def repository(project: Project, tmp_path: Path, settings: Any) -> Repository:
    settings.REPOSITORY_ROOTS = [tmp_path]
    history = History(tmp_path / "agent")
    history.commit("Start", {"a.py": "a = 1\n"})
    return repositories.add(project, name="acme/agent", location=str(history.directory))


def url(name: str, project: Project, **kwargs: object) -> str:
    return reverse(f"debugging:{name}", kwargs={"project_id": project.id, **kwargs})


def test_vera_reads_but_cannot_start_or_stop(
    session: DebuggingSession, project: Project, vera: User, sign_in: SignIn
) -> None:
    browser = sign_in(vera)
    page = browser.get(url("session", project, session_id=session.id))
    assert page.status_code == 200
    assert "Stop</button>" not in page.content.decode()
    trace_id = bytes.fromhex(session.trace_id)
    assert browser.post(url("start", project, trace_id=trace_id)).status_code == 403
    assert browser.post(url("cancel", project, session_id=session.id)).status_code == 403
    session.refresh_from_db()
    assert session.state == "queued"


def test_mallory_gets_404_for_everything_of_acme(
    session: DebuggingSession,
    repository: Repository,
    project: Project,
    other_project: Project,
    mallory: User,
    sign_in: SignIn,
) -> None:
    browser = sign_in(mallory)
    trace_id = bytes.fromhex(session.trace_id)
    for path in (
        url("list", project),
        url("session", project, session_id=session.id),
        url("session_steps", project, session_id=session.id),
        url("trace_sessions", project, trace_id=trace_id),
        url("repositories", project),
        url("session", other_project, session_id=session.id),
        url("session_steps", other_project, session_id=session.id),
    ):
        assert browser.get(path).status_code == 404, path
    for path in (
        url("start", project, trace_id=trace_id),
        url("start", other_project, trace_id=trace_id),
        url("cancel", project, session_id=session.id),
        url("cancel", other_project, session_id=session.id),
        url("add_repository", project),
        url("fetch_repository", other_project, repository_id=repository.id),
        url("remove_repository", other_project, repository_id=repository.id),
    ):
        assert browser.post(path).status_code == 404, path
    assert Repository.objects.filter(pk=repository.pk).exists()
    fragment = browser.get(url("trace_sessions", other_project, trace_id=trace_id))
    assert str(session.id) not in fragment.content.decode()


def test_starting_through_htmx_leads_the_browser_to_the_session(
    session: DebuggingSession, project: Project, ben: User, sign_in: SignIn
) -> None:
    answer = sign_in(ben).post(
        url("start", project, trace_id=bytes.fromhex(session.trace_id)),
        headers={"HX-Request": "true"},
    )
    assert answer["HX-Redirect"] == url("session", project, session_id=session.id)


def test_starting_on_a_trace_that_is_not_there_is_404(
    store: object, project: Project, ben: User, sign_in: SignIn
) -> None:
    assert sign_in(ben).post(url("start", project, trace_id=b"\1" * 16)).status_code == 404


def test_start_and_stop_take_posts_only(
    session: DebuggingSession, project: Project, ben: User, sign_in: SignIn
) -> None:
    browser = sign_in(ben)
    trace_id = bytes.fromhex(session.trace_id)
    assert browser.get(url("start", project, trace_id=trace_id)).status_code == 405
    assert browser.get(url("cancel", project, session_id=session.id)).status_code == 405


def test_ben_stops_a_session_and_the_page_says_so(
    session: DebuggingSession, project: Project, ben: User, sign_in: SignIn
) -> None:
    answer = sign_in(ben).post(url("cancel", project, session_id=session.id), follow=True)
    assert "This session was stopped" in answer.content.decode()
    session.refresh_from_db()
    assert session.state == "cancelled"


def test_the_live_fragment_is_empty_until_something_changed(
    session: DebuggingSession, project: Project, ben: User, sign_in: SignIn
) -> None:
    browser = sign_in(ben)
    steps = url("session_steps", project, session_id=session.id)
    first = browser.get(steps)
    assert first.status_code == 200
    seen = first.content.decode().split("?seen=")[1].split('"')[0]
    assert browser.get(steps, {"seen": seen}).status_code == 204
    sessions.run_pending("worker-1", 30)
    after = browser.get(steps, {"seen": seen})
    assert after.status_code == 200
    assert "Found no repository for this trace" in after.content.decode()
    assert "every 2s" not in after.content.decode()


def test_first_use_says_what_to_do(project: Project, ben: User, sign_in: SignIn) -> None:
    page = sign_in(ben).get(url("list", project)).content.decode()
    assert "Nothing was debugged yet" in page
    assert url("repositories", project) in page


def test_aaron_adds_fetches_and_removes_a_repository(
    store: object, project: Project, aaron: User, sign_in: SignIn, tmp_path: Path, settings: Any
) -> None:
    settings.REPOSITORY_ROOTS = [tmp_path]
    history = History(tmp_path / "agent")
    history.commit("Start", {"a.py": "a = 1\n"})
    browser = sign_in(aaron)
    page = browser.post(
        url("add_repository", project),
        {"location": str(history.directory), "name": "acme/agent"},
        follow=True,
    ).content.decode()
    assert "fetching" in page
    repositories.fetch_requested()
    page = browser.get(url("repositories", project)).content.decode()
    assert "fetched" in page
    assert "main" in page
    repository = Repository.objects.get()
    browser.post(url("fetch_repository", project, repository_id=repository.id))
    repository.refresh_from_db()
    assert repository.fetch_requested_at is not None
    browser.post(url("remove_repository", project, repository_id=repository.id))
    assert not Repository.objects.exists()


def test_a_refused_location_is_explained_beside_the_field(
    store: object, project: Project, aaron: User, sign_in: SignIn
) -> None:
    answer = sign_in(aaron).post(
        url("add_repository", project), {"location": "ext::sh -c id", "name": "x"}
    )
    assert answer.status_code == 422
    assert "start a helper program" in answer.content.decode()


def test_ben_sees_repositories_and_cannot_change_them(
    store: object, repository: Repository, project: Project, ben: User, sign_in: SignIn
) -> None:
    browser = sign_in(ben)
    page = browser.get(url("repositories", project)).content.decode()
    assert "acme/agent" in page
    assert "Add and fetch" not in page
    assert browser.post(url("add_repository", project), {"location": "/x"}).status_code == 403
    for name in ("fetch_repository", "remove_repository"):
        path = url(name, project, repository_id=repository.id)
        assert browser.post(path).status_code == 403


def test_repositories_that_traces_name_are_suggested(
    store: object, project: Project, aaron: User, sign_in: SignIn
) -> None:
    store_failed_run(project, "Traceback\nValueError: no", git_repo="acme/unknown")
    page = sign_in(aaron).get(url("repositories", project)).content.decode()
    assert "?name=acme/unknown#new-repository" in page
