"""Every page, in light and dark and at three widths: nothing in the console, nothing sideways."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import sent
from tests.browser.conftest import Place
from tests.product import otlp

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

WIDTHS = (1440, 1280, 390)
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PATHS = (
    "traces",
    "traces?view=error&range=7d",
    "traces?q=nothing-is-called-so",
    "findings/",
    "findings/?status=all",
    "detectors/",
    "debugging/",
    "getting-started/",
    "settings/",
    "settings/keys/",
    "settings/members/",
    "settings/repositories/",
    "settings/alerts/",
    "prices/",
    "ingest/",
    "coding-agents/",
    "ingest/rules/",
    "ingest/rules/?match=infrastructure&pattern=&key=",
    "retention/",
    "deletions/",
    "delete/",
)
ELSEWHERE = ("organizations/", "accounts/email/", "accounts/password/change/")


@pytest.fixture
def full(page: Page, place: Place) -> Place:
    """A project with something on every page."""
    trace_id = otlp.new_trace_id()
    sent.post(place.url, place.api_key, *sent.failing_run(trace_id))
    sent.post(place.url, place.api_key, *sent.hostile_run(otlp.new_trace_id()))
    page.goto(place.at(f"traces/{trace_id}/"))
    expect(page.locator(".findings-strip").first).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Find root cause").click()
    page.wait_for_url(re.compile("/debugging/"))
    return place


def addresses(page: Page, place: Place) -> list[str]:
    found = [place.at(path) for path in PATHS]
    found += [f"{place.url}/{path}" for path in ELSEWHERE]
    for path in ("traces", "findings/", "detectors/", "debugging/"):
        page.goto(place.at(path))
        links = page.locator("a[data-row-link]")
        assert links.count(), f"{path} has no row"
        found += [page.evaluate("link => link.href", link.element_handle()) for link in links.all()]
    page.goto(place.at("detectors/"))
    page.locator("a[data-row-link]").first.click()
    page.get_by_role("link", name="Edit").click()
    return [*found, page.url]


def test_sidebar_and_settings_lead_to_pages_that_are_checked_here(page: Page, full: Place) -> None:
    checked = {address.split("?")[0].rstrip("/") for address in addresses(page, full)}
    page.goto(full.at("settings/"))
    links = page.locator(".sidebar a.nav-item, .settings-nav a").all()
    led_to = {page.evaluate("link => link.href", link.element_handle()) for link in links}
    organization = [link for link in led_to if "/organizations/" in link]
    assert len(organization) == 1
    assert {link.rstrip("/") for link in led_to - set(organization)} <= checked


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_complains_or_overflows(page: Page, full: Place, theme: str) -> None:
    page.emulate_media(color_scheme="light" if theme == "light" else "dark")
    wide = []
    for address in addresses(page, full):
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, f"{address} answers {answer.status}"
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(60)  # panes measure themselves after a frame
            if (over := page.evaluate(OVERFLOW)) > 0:
                wide.append(f"{address} at {width} px: {over} px too wide")
    assert wide == []


def test_static_files_are_kept_by_browsers_for_good(page: Page, place: Place) -> None:
    answers = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(place.at("getting-started/"))
    static = [answer for answer in answers if "/static/" in answer.url]
    assert static
    assert {"immutable" in answer.headers.get("cache-control", "") for answer in static} == {True}
