"""The door of the public API: no key, another project's key, the right key, on every URL."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from accounts.models import Project
from tests.tenancy import samples
from tests.tenancy.places import API_TREE, Place, under

WITHOUT_KEY = {
    "api/v1/public/openapi.json": "the description of the API, the same for everybody",
}
KEY_OF_NOTHING = "tr-00000000-0000-4000-8000-000000000000"


def guarded() -> list[Place]:
    return [place for place in under(API_TREE) if place.route not in WITHOUT_KEY]


def methods_of(place: Place) -> list[str]:
    view = getattr(place.view, "cls", None) or getattr(place.view, "view_class", None)
    assert view is not None, f"{place.route} is not a class of Django REST framework"
    ours = [name for name in view.http_method_names if hasattr(view, name)]
    return [name for name in ours if name not in {"options", "head"}]


def url_of(place: Place, project: Project) -> str:
    values = {}
    for name, _ in place.arguments:
        sample = samples.find("api", name)
        assert sample is not None, f"add a sample for {name!r} of {place.route} to samples.py"
        values[name] = sample(project)
    return place.url(values)


def call(method: str, url: str, key: str | None) -> tuple[int, str, str]:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    answer = Client().generic(method.upper(), url, headers=headers)
    return answer.status_code, answer.content.decode(), answer.get("WWW-Authenticate", "")


def test_the_api_has_urls_and_the_open_ones_exist() -> None:
    assert guarded()
    assert set(WITHOUT_KEY) <= {place.route for place in under(API_TREE)}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("place", guarded(), ids=lambda place: place.route)
@pytest.mark.parametrize("key", [None, KEY_OF_NOTHING, "nonsense", ""])
def test_without_a_good_key_there_is_401_and_nothing_else(
    place: Place, key: str | None, project: Project
) -> None:
    for method in methods_of(place):
        status, body, challenge = call(method, url_of(place, project), key)
        assert status == 401, method
        assert list(json.loads(body)) == ["detail"]
        assert challenge.startswith("Bearer")


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("place", guarded(), ids=lambda place: place.route)
def test_another_projects_key_finds_nothing_of_ours(
    place: Place, project: Project, other_api_key: str
) -> None:
    samples.trace(project)  # something to be found
    for method in methods_of(place):
        status, body, _ = call(method, url_of(place, project), other_api_key)
        if place.arguments:
            assert status == 404, method
        assert status < 500, method
        assert project.name not in body
        assert str(project.id) not in body


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("place", guarded(), ids=lambda place: place.route)
def test_the_right_key_opens(place: Place, project: Project, api_key: str) -> None:
    samples.trace(project)
    if "get" in methods_of(place):
        status, body, _ = call("get", url_of(place, project), api_key)
        assert status == 200, body
        assert json.loads(body)
