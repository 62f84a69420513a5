"""The trace page: tabs of the panel, keys, findings, debugging, hostile text."""

from __future__ import annotations

import json
import re
import secrets
import time
from decimal import Decimal

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import sent
from tests.browser.conftest import Place
from tests.product import otlp
from traces.templatetags import figures

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SELECTED = ".tree-row[aria-selected='true']"
FOUND_SECONDS = 30


@pytest.fixture
def trace_id(place: Place) -> str:
    trace_id = otlp.new_trace_id()
    sent.post(place.url, place.api_key, *sent.failing_run(trace_id))
    return trace_id


def open_trace(page: Page, place: Place, trace_id: str) -> None:
    page.goto(place.at(f"traces/{trace_id}/"))
    page.wait_for_selector(".tree-row")


def test_failed_span_is_selected_on_arrival_with_its_exception(
    page: Page, place: Place, trace_id: str
) -> None:
    open_trace(page, place, trace_id)
    expect(page.locator(SELECTED)).to_contain_text("issue_refund")
    expect(page.locator("span-panel")).to_contain_text("fare_not_refundable")


def test_tabs_of_the_panel_show_each_part_and_keep_to_the_address(
    page: Page, place: Place, trace_id: str
) -> None:
    open_trace(page, place, trace_id)
    page.locator(".tree-row", has_text="chat gpt-4.1-mini").click()
    panel = page.locator("span-panel")
    expect(panel.locator(".message[data-role='user']")).to_contain_text("Refund order 7")
    expect(panel.locator(".message[data-role='assistant']")).to_contain_text("I will do that")
    for tab, shown in (
        ("Raw", "role"),
        ("Attributes", "gen_ai.request.model"),
        ("Events", "No events"),
        ("Messages", "Refund order 7"),
    ):
        panel.get_by_role("tab", name=tab).click()
        expect(panel.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        expect(panel.locator(".panel-body")).to_contain_text(shown)
        assert f"tab={tab.lower()}" in page.url


def test_tab_pressed_once_holds_for_the_next_span(page: Page, place: Place, trace_id: str) -> None:
    open_trace(page, place, trace_id)
    panel = page.locator("span-panel")
    panel.get_by_role("tab", name="Attributes").click()
    expect(panel.locator(".panel-body")).to_contain_text("gen_ai.tool.name")
    page.locator(".tree-row", has_text="chat gpt-4.1-mini").click()
    expect(panel.get_by_role("tab", name="Attributes")).to_have_attribute("aria-selected", "true")
    expect(panel.locator(".panel-body")).to_contain_text("gen_ai.request.model")


def test_pressing_the_tab_that_is_shown_keeps_what_was_opened(page: Page, place: Place) -> None:
    trace_id = otlp.new_trace_id()
    root, *_ = sent.hostile_run(trace_id)
    sent.post(place.url, place.api_key, root)
    page.goto(place.at(f"traces/{trace_id}/?tab=attributes"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    more = page.locator("span-panel").get_by_role("button", name=re.compile("Show all")).first
    more.click()
    expect(page.locator("span-panel")).to_contain_text("300,000 characters in all")
    page.locator("span-panel").get_by_role("tab", name="Attributes").click()
    page.wait_for_timeout(500)
    expect(page.locator("span-panel")).to_contain_text("300,000 characters in all")
    assert not [url for url in asked if "/spans/" in url]


def test_role_of_a_folded_message_stands_on_one_line(page: Page, place: Place) -> None:
    trace_id, root = otlp.new_trace_id(), secrets.token_hex(8)
    call = sent.chat(trace_id, root, "", "Done.")
    told = [{"role": "system", "parts": [{"type": "text", "content": "Be brief. " * 50}]}]
    for attribute in call["attributes"]:
        if attribute["key"] == "gen_ai.input.messages":
            attribute["value"] = {"stringValue": json.dumps(told)}
    sent.post(place.url, place.api_key, sent.agent(trace_id, "brief", root), call)
    page.goto(place.at(f"traces/{trace_id}/?span={call['spanId']}"))
    role = page.locator(".message-fold > .fold > b")
    expect(role).to_have_text("System")
    assert role.bounding_box()["height"] < 20  # type: ignore[index]


def test_keys_walk_the_list_and_open_a_trace(page: Page, place: Place, trace_id: str) -> None:
    other = otlp.new_trace_id()
    sent.post(place.url, place.api_key, sent.agent(other, "newest"))
    page.goto(place.at("traces"))
    row = page.locator("tr[aria-selected='true']")
    page.keyboard.press("j")
    expect(row).to_contain_text("newest")
    page.keyboard.press("j")
    expect(row).to_contain_text("refunds")
    page.keyboard.press("k")
    expect(row).to_contain_text("newest")
    page.keyboard.press("/")
    expect(page.get_by_label("Find traces")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/traces/{trace_id}/"))


def test_keys_walk_the_tree_find_errors_and_text(page: Page, place: Place, trace_id: str) -> None:
    open_trace(page, place, trace_id)
    page.keyboard.press("k")
    expect(page.locator(SELECTED)).not_to_contain_text("issue_refund")
    page.keyboard.press("e")
    expect(page.locator(SELECTED)).to_contain_text("issue_refund")
    page.keyboard.press("Home")
    expect(page.locator(SELECTED)).to_contain_text("refunds")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".tree-row")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".tree-row")).to_have_count(3)
    page.keyboard.press("ArrowDown")
    expect(page.locator(SELECTED)).to_have_attribute("aria-level", "2")
    page.keyboard.press("/")
    find = page.get_by_label("Find in trace")
    expect(find).to_be_focused()
    page.keyboard.type("gpt-4.1")
    expect(page.locator(".tree-row.is-found")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(find).to_have_value("")
    find.blur()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_on_a_phone_the_span_that_was_tapped_is_in_view(page: Page, place: Place) -> None:
    trace_id, root = otlp.new_trace_id(), secrets.token_hex(8)
    calls = [sent.chat(trace_id, root, f"Q{n}", f"A{n}") for n in range(60)]
    sent.post(place.url, place.api_key, sent.agent(trace_id, "many", root), *calls)
    page.set_viewport_size({"width": 390, "height": 800})
    open_trace(page, place, trace_id)
    expect(page.locator(".tree-row")).not_to_have_count(0)
    row = page.locator(".tree-row").nth(3)
    row.click()
    panel = page.locator("span-panel [role=tablist]")
    expect(panel).to_be_in_viewport()
    expect(page.locator(SELECTED)).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollHeight") < 3000


def test_finding_appears_on_the_open_page_and_is_confirmed_and_dismissed(
    page: Page, place: Place
) -> None:
    trace_id = otlp.new_trace_id()
    *_, failed = run = sent.failing_run(trace_id)
    sent.post(place.url, place.api_key, run[1])
    open_trace(page, place, trace_id)
    page.evaluate("window.stayed = true")
    sent.post(place.url, place.api_key, failed, run[0])
    strip = page.locator(".findings-strip", has_text="Tool failure")
    expect(strip).to_contain_text("issue_refund", timeout=FOUND_SECONDS * 1000)
    assert page.evaluate("window.stayed") is True
    assert len(strip.locator(".evidence").all()) >= 1
    marked = page.locator(f".tree-row[data-span='{failed['spanId']}'] .tree-mark")
    expect(marked).to_have_attribute("title", "1 finding")

    strip.get_by_role("button", name=re.compile("^Confirm")).click()
    expect(strip).to_contain_text("Confirmed")
    strip.get_by_role("button", name=re.compile("^False alarm")).click()
    expect(strip).to_have_count(0)
    expect(page.get_by_text("Dismissed")).to_be_visible()


def test_find_root_cause_leads_to_the_session(page: Page, place: Place, trace_id: str) -> None:
    open_trace(page, place, trace_id)
    page.get_by_role("button", name="Find root cause").click()
    page.wait_for_url(re.compile(r"/debugging/[0-9a-f-]{36}/"))
    # Without a repository there is no line to name, and it says so instead of guessing.
    expect(page.get_by_text("Abstained").first).to_be_visible(timeout=FOUND_SECONDS * 1000)
    page.goto(place.at("debugging/"))
    expect(page.locator("a[data-row-link]")).to_have_count(1)


def test_hostile_text_is_inert_on_every_tab(page: Page, place: Place) -> None:
    trace_id = otlp.new_trace_id()
    sent.post(place.url, place.api_key, *sent.hostile_run(trace_id))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(place.at("traces"))
    expect(page.locator(f"tr[data-key='{trace_id}']")).to_contain_text("<img src=x")
    open_trace(page, place, trace_id)
    for row in range(3):
        page.locator(".tree-row").nth(row).click()
        for tab in ("Messages", "Raw", "Attributes", "Events"):
            chosen = page.locator("span-panel").get_by_role("tab", name=tab)
            chosen.click()
            expect(chosen).to_have_attribute("aria-selected", "true")
    assert page.evaluate("window.hit") is None
    assert page.locator("img").count() == 0
    assert page.locator("text=49").count() == 0 or "{{ 7*7 }}" in page.content()
    assert not [url for url in asked if url.endswith("/x")]


def test_characters_that_turn_text_do_not_turn_the_page(page: Page, place: Place) -> None:
    trace_id, root = otlp.new_trace_id(), secrets.token_hex(8)
    name = "invoice\u202egnp.exe"
    sent.post(
        place.url,
        place.api_key,
        sent.agent(trace_id, name, root, session__id=name, note=name, data=f'["{name}"]'),
        sent.chat(trace_id, root, name, name),
    )
    page.goto(place.at("traces"))
    row = page.locator(f"tr[data-key='{trace_id}']")
    expect(row.locator(".row-link .control-mark")).to_have_text("RLO")
    open_trace(page, place, trace_id)
    expect(page.locator(f".tree-row[data-span='{root}'] .control-mark").first).to_have_text("RLO")
    for number in range(2):
        page.locator(".tree-row").nth(number).click()
        for tab in ("Messages", "Raw", "Attributes"):
            chosen = page.locator("span-panel").get_by_role("tab", name=tab)
            chosen.click()
            expect(chosen).to_have_attribute("aria-selected", "true")
            assert "\u202e" not in page.locator("body").inner_text()
    page.locator(".tree-row").first.click()
    page.locator("span-panel").get_by_role("tab", name="Attributes").click()
    expect(page.locator("span-panel .json .control-mark")).to_have_text("RLO")


@pytest.mark.parametrize("width", [1440, 390])
def test_long_attribute_names_stay_inside_the_panel(width: int, page: Page, place: Place) -> None:
    trace_id, root = otlp.new_trace_id(), secrets.token_hex(8)
    long = sent.agent(trace_id, "long names", root, short="value")
    text = {"stringValue": "v" * 280}
    long["attributes"].append({"key": "k" * 500, "value": text})
    long["attributes"].append({"key": "json." + "j" * 495, "value": {"stringValue": '{"a": 1}'}})
    long["events"] = [{"name": "n" * 500, "attributes": [{"key": "e" * 500, "value": text}]}]
    sent.post(place.url, place.api_key, long)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(place.at(f"traces/{trace_id}/?span={root}"))
    for tab in ("Attributes", "Events"):
        page.locator("span-panel").get_by_role("tab", name=tab).click()
        expect(page.get_by_text(("k" if tab == "Attributes" else "e") * 500)).to_be_visible()
        too_wide = page.evaluate(
            """() => [...document.querySelectorAll("span-panel :is(.panel-body, th, td, h3, bdi)")]
              .filter((one) => one.getBoundingClientRect().right
                > one.closest("span-panel").getBoundingClientRect().right + 1)
              .map((one) => one.tagName)"""
        )
        assert too_wide == []
        pane = page.locator("span-panel").locator("xpath=ancestor::section[1]")
        assert pane.evaluate("(pane) => pane.scrollWidth <= pane.clientWidth")


def test_a_long_run_of_one_letter_is_drawn_without_kerning(page: Page, place: Place) -> None:
    """With kerning Chromium takes from seconds to a minute to break such a line."""
    trace_id, root, run = otlp.new_trace_id(), secrets.token_hex(8), "W" * 9_000
    sent.post(
        place.url,
        place.api_key,
        sent.agent(trace_id, "wide", root, note=run, data=json.dumps({"a": run})),
        sent.chat(trace_id, root, run, json.dumps([run])),
    )
    kerned = """() => [...document.querySelectorAll("main *")]
      .filter((one) => [...one.childNodes].some((node) => node.data?.includes("WWWW")))
      .map((one) => getComputedStyle(one).fontKerning)"""
    page.goto(place.at("traces"))
    expect(page.locator(f"tr[data-key='{trace_id}']")).to_be_visible()
    assert set(page.evaluate(kerned)) == {"none"}
    open_trace(page, place, trace_id)
    drawn = []
    for row in range(2):
        page.locator(".tree-row").nth(row).click()
        for tab in ("Messages", "Raw", "Attributes"):
            chosen = page.locator("span-panel").get_by_role("tab", name=tab)
            chosen.click()
            expect(chosen).to_have_attribute("aria-selected", "true")
            for more in page.get_by_role("button", name=re.compile("Show all")).all():
                more.click()
            drawn += page.evaluate(kerned)
    assert len(drawn) >= 4  # in a message, raw, as an attribute and within JSON
    assert set(drawn) == {"none"}


def test_figures_of_the_tree_are_those_of_the_panel(
    page: Page, place: Place, trace_id: str
) -> None:
    open_trace(page, place, trace_id)
    module = page.locator("link[rel=modulepreload][href$='figures.js']").get_attribute("href")
    for ns in (0, 1_500, 12_340_000, 640_000_000, 3_140_000_000, 192 * 10**9, 8_000 * 10**9):
        script = f"import('{module}').then((figures) => figures.duration({ns / 1e6}))"
        assert page.evaluate(script) == figures.duration(ns)
    for usd in ("0", "0.00003", "0.0123", "0.5", "12.34", "1234"):
        script = f"import('{module}').then((figures) => figures.cost({usd}))"
        assert page.evaluate(script) == figures.money(Decimal(usd))


def test_row_of_a_failure_that_was_found_has_both_marks(page: Page, place: Place) -> None:
    trace_id, root = otlp.new_trace_id(), secrets.token_hex(8)
    failed = sent.tool(trace_id, "", root, error="refused")
    failed["name"] = ""
    sent.post(place.url, place.api_key, sent.agent(trace_id, "support", root), failed)
    open_trace(page, place, trace_id)
    row = page.locator(f".tree-row[data-span='{failed['spanId']}']")
    expect(row).to_contain_text("(unnamed)")
    expect(row.locator(".tree-mark")).to_be_visible(timeout=FOUND_SECONDS * 1000)
    expect(row.locator(".tree-failed")).to_be_visible()
    expect(page.locator(".tree-row").first.locator(".tree-mark")).to_be_hidden()


def test_large_value_folds_and_opens(page: Page, place: Place) -> None:
    trace_id = otlp.new_trace_id()
    root, *_ = sent.hostile_run(trace_id)
    sent.post(place.url, place.api_key, root)
    open_trace(page, place, trace_id)
    page.locator("span-panel").get_by_role("tab", name="Attributes").click()
    value = page.locator("tr", has=page.get_by_text("huge", exact=True)).locator("json-view")
    expect(value.get_by_role("button", name=re.compile("Show all"))).to_be_visible()
    assert len(value.inner_text()) < 1000
    value.get_by_role("button", name=re.compile("Show all")).click()
    expect(value).to_contain_text("300,000 characters in all")
    assert page.locator(".facts").bounding_box()["height"] < 80  # type: ignore[index]


def test_what_arrives_does_not_move_what_is_being_pressed(page: Page, place: Place) -> None:
    trace_id = otlp.new_trace_id()
    sent.post(place.url, place.api_key, *sent.failing_run(trace_id))
    banners = page.locator("live-trace [data-finding-span]")
    open_trace(page, place, trace_id)
    expect(banners.first).to_be_visible(timeout=30_000)  # judged: from now on it comes at once

    page.goto("about:blank")  # the page before it must have no request left to hold
    held: list[Route] = []
    page.route(re.compile(rf"{trace_id}/findings"), lambda route: held.append(route))
    open_trace(page, place, trace_id)
    tab = page.locator("span-panel").get_by_role("tab", name="Attributes")
    tab.hover()
    page.mouse.down()
    deadline = time.monotonic() + 15
    while not held:
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    for route in held:
        with page.expect_response(route.request.url):
            route.continue_()
    page.wait_for_timeout(300)  # it would be in the page by now
    expect(banners).to_have_count(0)
    page.mouse.up()
    expect(tab).to_have_attribute("aria-selected", "true")  # pressed where it was
    expect(banners.first).to_be_visible()


def names(page: Page) -> list[str]:
    return page.locator(".tree-row .tree-name bdi").all_inner_texts()


def test_machinery_is_folded_away_with_its_count_until_it_is_wanted(
    page: Page, place: Place
) -> None:
    trace_id = otlp.new_trace_id()
    sent.post(place.url, place.api_key, *sent.run_behind_http(trace_id))
    open_trace(page, place, trace_id)
    assert names(page) == ["refunds", "proxy", "chat gpt-4.1-mini"]
    expect(page.locator(".tree-row", has_text="proxy")).to_have_attribute("aria-level", "2")
    expect(page.locator(".tree-tools")).to_contain_text("3 of 5 spans")
    toggle = page.get_by_role("button", name="2 infrastructure")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    whole = ["refunds", "POST /v1/chat", "proxy", "chat gpt-4.1-mini", "SELECT orders"]
    assert sorted(names(page)) == sorted(whole)
    toggle.click()
    assert names(page) == ["refunds", "proxy", "chat gpt-4.1-mini"]
    page.get_by_role("searchbox", name="Find in trace").fill("select")
    expect(page.locator(".tree-row", has_text="SELECT orders")).to_be_visible()


def test_a_link_to_a_span_of_machinery_shows_it(page: Page, place: Place) -> None:
    trace_id = otlp.new_trace_id()
    run = sent.run_behind_http(trace_id)
    sent.post(place.url, place.api_key, *run)
    page.goto(place.at(f"traces/{trace_id}/?span={run[-1]['spanId']}"))
    expect(page.locator(SELECTED)).to_contain_text("SELECT orders")
    assert "POST /v1/chat" not in names(page)
