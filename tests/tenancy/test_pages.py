"""The first belt: every page of a project and of an organisation has a door, and it holds.

The pages are walked out of the URL resolver. A page with an argument that `samples` does not know
fails here, and so does one without a stamp.
"""

from __future__ import annotations

from http import HTTPStatus

import pytest
from django.test import Client

from accounts import permissions
from accounts.models import Project, User
from accounts.permissions import PERMISSIONS, Role
from tests.cast import SignIn
from tests.tenancy import samples
from tests.tenancy.places import (
    API_TREE,
    ORGANIZATION_TREE,
    PROJECT_TREE,
    Place,
    all_places,
    under,
)

ELSEWHERE = {
    "": "the start page: sends on to a project, shows only one's own organisations",
    "organizations/": "shows only one's own organisations",
    "favicon.ico": "to the static icon",
    "livez": "says that the process is up",
    "readyz": "says which dependency is up",
}
OTHER_PEOPLES = (
    "accounts/",
    "admin/",
)  # allauth and Django's administration have doors of their own

NOTHING_FOR_FOREIGN = {
    "detectors:trace_findings": "a fragment: a trace that is not here has no findings",
    "debugging:trace_sessions": "a fragment: a trace that is not here has no sessions",
}


@pytest.fixture
def people(
    ada: User, aaron: User, ben: User, vera: User, mallory: User, other_project: Project
) -> dict[str, User | None]:
    return {
        "anonymous": None,
        "outsider": mallory,
        Role.VIEWER.value: vera,
        Role.MEMBER.value: ben,
        Role.ADMIN.value: aaron,
        Role.OWNER.value: ada,
    }


def permission_of(place: Place) -> str:
    return str(getattr(place.view, "required_permission", ""))


def values_for(place: Place, project: Project, foreign: Project | None = None) -> dict[str, object]:
    """Arguments of the URL; with `foreign`, its objects under this project's address."""
    values: dict[str, object] = {"project_id": project.id}
    for name, _ in place.arguments:
        if name == "project_id":
            continue
        sample = samples.find(place.app, name)
        assert sample is not None, f"add a sample for {name!r} of {place.route} to samples.py"
        values[name] = sample(foreign or project)
    return values


def test_there_is_no_page_outside_the_trees_but_those_on_the_list() -> None:
    trees = (PROJECT_TREE, ORGANIZATION_TREE, API_TREE, *OTHER_PEOPLES)
    stray = [
        place.route
        for place in all_places()
        if not place.route.startswith(trees) and place.route not in ELSEWHERE
    ]
    assert not stray, f"mount them under projects/ or organizations/, or say why not: {stray}"


@pytest.mark.parametrize(
    ("tree", "argument"), [(PROJECT_TREE, "project_id"), (ORGANIZATION_TREE, "organization_id")]
)
def test_every_page_is_stamped_with_a_permission(tree: str, argument: str) -> None:
    places = under(tree)
    assert places
    unstamped = [place.route for place in places if permission_of(place) not in PERMISSIONS]
    assert not unstamped, f"put @project_view or @organization_view outermost: {unstamped}"
    wrong = [p.route for p in places if getattr(p.view, "resolved_argument", "") != argument]
    assert not wrong, f"the door of the other tree stands at {wrong}"


@pytest.mark.parametrize("page", under(PROJECT_TREE), ids=lambda place: place.route)
def test_every_argument_has_a_sample(page: Place) -> None:
    missing = [
        name
        for name, _ in page.arguments
        if name != "project_id" and samples.find(page.app, name) is None
    ]
    assert not missing


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page", under(PROJECT_TREE), ids=lambda place: place.route)
@pytest.mark.usefixtures("store")
def test_a_project_page_answers_each_role_by_the_table(
    page: Place, method: str, people: dict[str, User | None], project: Project, sign_in: SignIn
) -> None:
    url = page.url(values_for(page, project))
    wrong = {}
    for who, user in people.items():
        allowed = who in Role.values and permissions.allows(who, permission_of(page))  # type: ignore[arg-type]
        if allowed and method == "post":
            continue  # what an allowed post does is the matter of the page's own tests
        status = fetch(sign_in(user), method, url)
        if not fits(status, who, allowed=allowed):
            wrong[who] = status
    assert not wrong, f"{method} {page.route} ({permission_of(page)})"


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "page",
    [place for place in under(PROJECT_TREE) if len(place.arguments) > 1],
    ids=lambda place: place.route,
)
@pytest.mark.usefixtures("store")
def test_an_object_of_another_project_is_not_found_under_ones_own(
    page: Place,
    method: str,
    ada: User,
    project: Project,
    other_project: Project,
    sign_in: SignIn,
) -> None:
    url = page.url(values_for(page, project, foreign=other_project))
    client = sign_in(ada)
    answer = getattr(client, method)(url)
    body = b"".join(answer) if answer.streaming else answer.content
    assert other_project.name.encode() not in body
    if page.name in NOTHING_FOR_FOREIGN:
        assert answer.status_code in (HTTPStatus.OK, HTTPStatus.NOT_FOUND, 405)
    else:
        assert answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)


@pytest.mark.parametrize("page", under(ORGANIZATION_TREE), ids=lambda place: place.route)
def test_an_organisation_page_answers_each_role_by_the_table(
    page: Place, people: dict[str, User | None], project: Project, sign_in: SignIn
) -> None:
    assert [name for name, _ in page.arguments] == ["organization_id"]
    url = page.url({"organization_id": project.organization_id})
    wrong = {}
    for who, user in people.items():
        allowed = who in Role.values and permissions.allows(who, permission_of(page))  # type: ignore[arg-type]
        for method in ("get",) if allowed else ("get", "post"):
            status = fetch(sign_in(user), method, url)
            if not fits(status, who, allowed=allowed):
                wrong[f"{method} by {who}"] = status
    assert not wrong, f"{page.route} ({permission_of(page)})"


def fetch(client: Client, method: str, url: str) -> int:
    answer = getattr(client, method)(url)
    if answer.status_code == HTTPStatus.FOUND and "/accounts/login/" in answer["Location"]:
        return HTTPStatus.UNAUTHORIZED  # what the redirection means
    return int(answer.status_code)


def fits(status: int, who: str, *, allowed: bool) -> bool:
    if who == "anonymous":
        return status == HTTPStatus.UNAUTHORIZED
    if who == "outsider":
        return status == HTTPStatus.NOT_FOUND
    if not allowed:
        return status == HTTPStatus.FORBIDDEN
    return status in {200, 204, 302, 405}
