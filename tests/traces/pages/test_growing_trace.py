"""A trace that is not whole yet: what its page fetches again, and what it says is missing."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Project, User
from tests.cast import SignIn
from tests.traces import made

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db]
ABSENT = "1 span names a parent that has not arrived"


@pytest.fixture
def browser(sign_in: SignIn, vera: User) -> Client:
    """Vera's, a viewer."""
    return sign_in(vera)


def test_a_root_that_comes_last_gives_its_name_and_ends_the_notice(
    browser: Client, project: Project
) -> None:
    of = made.trace_id()
    url = f"/projects/{project.id}/traces/{of.hex()}/"
    made.stored(made.span(project.id, of, 2, 1, name="child"))
    page = browser.get(url).content.decode()
    assert "child" in page
    assert ABSENT in page
    assert "The root span has not arrived" in page
    assert ABSENT in browser.get(f"{url}facts/").content.decode()

    made.stored(made.span(project.id, of, 1, name="root"))
    fresh = browser.get(f"{url}facts/").content.decode()
    assert "<title data-live-title>root · TraceRoot</title>" in fresh
    assert '<div data-live-for="trace-name"><bdi>root</bdi></div>' in fresh
    assert '<div data-live-for="trace-notes"></div>' in fresh.replace("\n", "")


def test_what_has_no_end_is_given_no_duration(browser: Client, project: Project) -> None:
    of = made.trace_id()
    url = f"/projects/{project.id}/traces/{of.hex()}/"
    made.stored(made.span(project.id, of, 1, end_ns=0))
    facts = browser.get(f"{url}facts/").content.decode()
    assert "no end yet" in facts
    assert "µs" not in facts
    span = browser.get(f"{url}spans/{made.span_id(1).hex()}/").content.decode()
    assert "<b>running</b>" in span


def test_a_span_without_a_start_says_so(browser: Client, project: Project) -> None:
    of = made.trace_id()
    made.stored(made.span(project.id, of, 1, sources={"start_ns": "the end: no start was sent"}))
    url = f"/projects/{project.id}/traces/{of.hex()}/spans/{made.span_id(1).hex()}/"
    page = browser.get(url).content.decode()
    assert "sent without a start time" in page
    assert "<b>unknown</b>" in page
