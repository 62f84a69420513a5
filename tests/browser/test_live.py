"""What arrives appears by itself: first trace, rows of the list, spans of an open trace."""

from __future__ import annotations

import re
import secrets
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser import sent
from tests.browser.chromium import wait_until
from tests.browser.conftest import Place
from tests.product import otlp

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ROWS = "document.querySelector('span-tree').model.rows.length"


def test_getting_started_waits_and_opens_the_first_trace(page: Page, place: Place) -> None:
    page.goto(place.at("traces/"))  # an empty project leads here
    page.wait_for_url(re.compile("getting-started"))
    expect(page.get_by_text("Waiting for the first span")).to_be_visible()
    trace_id = otlp.new_trace_id()
    sent.post(place.url, place.api_key, sent.agent(trace_id, "hello"))
    page.wait_for_url(re.compile(f"/traces/{trace_id}/"), timeout=15_000)
    expect(page.get_by_role("heading", name="hello").first).to_be_visible()


def test_a_root_that_arrives_last_names_the_open_page(page: Page, place: Place) -> None:
    trace_id, root = otlp.new_trace_id(), secrets.token_hex(8)
    sent.post(place.url, place.api_key, sent.tool(trace_id, "lookup", root))
    page.goto(place.at(f"traces/{trace_id}/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("execute_tool lookup")
    expect(page.get_by_text("1 span names a parent that has not arrived")).to_be_visible()
    sent.post(place.url, place.api_key, sent.agent(trace_id, "support.turn", root))
    expect(page.get_by_role("heading", level=1)).to_have_text("support.turn")
    expect(page).to_have_title("support.turn · TraceRoot")
    expect(page.get_by_text("has not arrived")).to_have_count(0)


def test_row_appears_in_the_list_without_a_reload(page: Page, place: Place) -> None:
    sent.post(place.url, place.api_key, sent.agent(otlp.new_trace_id(), "earlier"))
    page.goto(place.at("traces"))
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    page.evaluate("window.stayed = true")
    trace_id = otlp.new_trace_id()
    sent.post(place.url, place.api_key, sent.agent(trace_id, "later"))
    expect(page.locator(f"tr[data-key='{trace_id}']")).to_contain_text("later")
    assert page.evaluate("window.stayed") is True


def test_paused_list_counts_what_it_misses_and_catches_up(page: Page, place: Place) -> None:
    sent.post(place.url, place.api_key, sent.agent(otlp.new_trace_id(), "earlier"))
    page.goto(place.at("traces"))
    page.get_by_role("button", name="Live").click()
    expect(page.get_by_role("button", name="Paused", exact=True)).to_be_visible()
    trace_id = otlp.new_trace_id()
    sent.post(place.url, place.api_key, sent.agent(trace_id, "missed"))
    expect(page.get_by_role("button", name=re.compile("Paused, .* missed"))).to_be_visible()
    expect(page.locator(f"tr[data-key='{trace_id}']")).to_have_count(0)
    page.get_by_role("button", name=re.compile("Paused")).click()
    expect(page.locator(f"tr[data-key='{trace_id}']")).to_be_visible()


def test_first_match_of_a_filter_turns_the_empty_page_into_a_table(
    page: Page, place: Place
) -> None:
    sent.post(place.url, place.api_key, sent.agent(otlp.new_trace_id(), "earlier"))
    page.goto(place.at("traces?q=later"))
    expect(page.get_by_text("No trace matches")).to_be_visible()
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    trace_id = otlp.new_trace_id()
    sent.post(place.url, place.api_key, sent.agent(trace_id, "later"))
    expect(page.locator(f"#trace-page > table tr[data-key='{trace_id}']")).to_be_visible()
    expect(page.get_by_text("No trace matches")).to_have_count(0)
    second = otlp.new_trace_id()
    sent.post(place.url, place.api_key, sent.agent(second, "even later"))
    expect(page.locator(f"#trace-page > table tr[data-key='{second}']")).to_be_visible()


@pytest.mark.parametrize("is_paused", [False, True], ids=["of another trace", "while paused"])
def test_server_is_not_kept_waiting_for_notices_the_page_does_not_show(
    is_paused: bool, page: Page, place: Place
) -> None:
    ours, others = otlp.new_trace_id(), otlp.new_trace_id()
    sent.post(place.url, place.api_key, sent.tool(ours, "slow", "ab" * 8))  # its root is to come
    frames: list[tuple[str, str]] = []
    page.on(
        "websocket",
        lambda socket: (
            socket.on("framereceived", lambda text: frames.append(("in", str(text)))),
            socket.on("framesent", lambda text: frames.append(("out", str(text)))),
        ),
    )
    page.goto(place.at(f"traces/{ours}/"))
    live = page.get_by_role("button", name="Live")
    expect(live).to_be_visible()
    if is_paused:
        live.click()
    page.wait_for_timeout(3000)  # what was said at the beginning is worked off
    frames.clear()
    noticed = ours if is_paused else others
    sent.post(place.url, place.api_key, sent.tool(noticed, "quick", "cd" * 8))
    deadline = time.monotonic() + 15
    while not any(noticed in text for way, text in frames if way == "in"):
        assert time.monotonic() < deadline, frames
        page.wait_for_timeout(50)
    page.wait_for_timeout(500)  # less than the server's patience
    assert ("out", '{"type":"credit"}') in frames


def test_open_trace_grows_and_settles_while_selection_and_scroll_stay(
    page: Page, place: Place
) -> None:
    trace_id, root = otlp.new_trace_id(), secrets.token_hex(8)
    first = sent.siblings(trace_id, root, 60)
    sent.post(place.url, place.api_key, *first)  # children first: the root is exported at its end
    page.goto(place.at(f"traces/{trace_id}/"))
    wait_until(page, f"{ROWS} === 60")
    status = page.locator(".facts .status")
    expect(status).to_have_text("Running")
    expect(page.get_by_role("button", name="Live")).to_be_visible()

    chosen = first[40]["spanId"]
    page.evaluate(f"document.querySelector('span-tree').select('{chosen}')")
    pane = page.locator(".panes > .pane").first
    pane.evaluate("pane => { pane.scrollTop = 600; }")
    top_row = "() => document.querySelector('span-tree').topRow().id"
    seen_at_top = page.evaluate(top_row)

    sent.post(place.url, place.api_key, *sent.siblings(trace_id, root, 20))
    wait_until(page, f"{ROWS} === 80")
    assert page.evaluate(top_row) == seen_at_top
    assert f"span={chosen}" in page.url
    expect(page.locator(f".tree-row[data-span='{chosen}']")).to_have_attribute(
        "aria-selected", "true"
    )

    sent.post(place.url, place.api_key, sent.agent(trace_id, "long run", root))
    wait_until(page, f"{ROWS} === 81")
    expect(status).to_have_text("OK")
    expect(page.get_by_role("button", name="Live")).to_have_count(0)
    assert f"span={chosen}" in page.url
    assert page.evaluate(top_row) == seen_at_top
