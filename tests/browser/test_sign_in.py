"""Signing in, staying in one's theme, and pages that are not for everybody."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium, sent
from tests.browser.conftest import Place
from tests.browser.watching import Watch
from tests.product import otlp
from tests.product.running import Product

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

VERA = "vera@example.com"
PASSWORD = "correct horse battery staple"
_MAKE_VERA = """
from accounts.models import Membership, Organization, User
vera = User.objects.create_user(email={email!r}, password={password!r})
acme = Organization.objects.get(projects={project!r})
Membership.objects.create(user=vera, organization=acme, role="viewer")
"""


def test_administrator_signs_in_with_what_the_start_printed(
    browser: Browser, browsed: Product, watch: Watch
) -> None:
    page = browser.new_page()
    watch.on(page)
    page.goto(browsed.url)
    expect(page.get_by_role("heading", name="Sign in to TraceRoot")).to_be_visible()
    expect(page.get_by_text("No account?")).to_have_count(0)  # sign-up is closed by default
    chromium.sign_in(page, browsed.url, browsed.email, browsed.password)
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.close()


def test_wrong_password_is_answered_beside_the_form(browser: Browser, browsed: Product) -> None:
    page = browser.new_page()
    page.goto(f"{browsed.url}/accounts/login/")
    page.get_by_label("Email").fill(browsed.email)
    page.get_by_label("Password").fill("not it")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not correct")
    page.close()


def test_theme_is_kept_over_pages_and_reloads(page: Page, place: Place) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(place.at("findings/"))
    light = page.evaluate("getComputedStyle(document.querySelector('.app-main')).backgroundColor")
    page.locator(".sidebar-end button.nav-item").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    page.reload()
    page.goto(place.at("detectors/"))
    assert page.locator("html").get_attribute("data-theme") == "dark"
    dark = page.evaluate("getComputedStyle(document.querySelector('.app-main')).backgroundColor")
    assert dark != light
    page.locator(".sidebar-end button.nav-item").click()
    expect(page.get_by_role("menuitemradio", name="Dark")).to_have_attribute("aria-checked", "true")


def test_missing_page_is_designed_and_names_its_request(
    page: Page, place: Place, watch: Watch
) -> None:
    watch.expected = {"404 (Not Found)"}
    answer = page.goto(place.at("nothing-here/"))
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    expect(page.locator(".error-id code")).to_have_text(answer.headers["x-request-id"])


def test_viewer_gets_a_designed_403_for_the_keys_and_no_link_to_them(
    browser: Browser, browsed: Product, place: Place, watch: Watch
) -> None:
    code = _MAKE_VERA.format(email=VERA, password=PASSWORD, project=place.project_id)
    done = browsed.manage("shell", "-c", code)
    assert done.returncode == 0, done.stderr
    watch.expected = {"403 (Forbidden)"}
    page = browser.new_page()
    watch.on(page)
    chromium.sign_in(page, browsed.url, VERA, PASSWORD)
    page.goto(place.at("settings/"))
    expect(page.get_by_role("link", name="API keys")).to_have_count(0)
    answer = page.goto(place.at("settings/keys/"))
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".error-id code")).to_have_text(re.compile(r"^[\w-]{8,}$"))
    page.close()


def test_signing_out_in_one_tab_stops_the_live_line_of_the_other(
    browser: Browser, browsed: Product, place: Place
) -> None:
    sent.post(place.url, place.api_key, sent.agent(otlp.new_trace_id(), "hello"))
    context = browser.new_context()  # a session of its own: the others' must live on
    live, other = context.new_page(), context.new_page()
    opened: list[str] = []
    live.on("websocket", lambda socket: opened.append(socket.url))
    chromium.sign_in(live, browsed.url, browsed.email, browsed.password)
    live.goto(place.at("traces/"))
    state = live.locator("live-state").first
    expect(state).to_have_text("Live")
    other.goto(place.at("settings/"))
    other.locator(".sidebar-end button.nav-item").click()
    other.get_by_role("menuitem", name="Sign out").click()
    expect(state).to_have_text("Stopped")
    tries = len(opened)
    live.wait_for_timeout(2500)
    assert len(opened) == tries  # refused for good, it does not knock on and on
    other.go_back()
    expect(other.get_by_role("heading", name="Sign in to TraceRoot")).to_be_visible()
    context.close()
