"""The pages of traces: what they show, in every state and of everything that may have been sent."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from django.test import Client

from accounts import api_keys
from accounts.models import Project, User
from tests.cast import SignIn
from tests.traces import made
from traces import settle
from traces.pages import panels
from traces.spans import Span, SpanEvent, Usage
from traces.store import marks
from traces.store.engine.process import EngineProcess
from traces.store.filters import TraceFilter
from traces.store.reader import SpanReader
from traces.store.reads.project import to_cursor

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db]
HOSTILE = "<script>alert(1)</script>\u202egnp.exe\"'{{ 'zqmark'|upper }}{% now %}"


@pytest.fixture
def browser(sign_in: SignIn, vera: User) -> Client:
    """Vera's, a viewer."""
    return sign_in(vera)


@pytest.fixture
def traces(project: Project) -> str:
    return f"/projects/{project.id}/traces"


def shown(browser: Client, url: str, status: int = 200) -> str:
    answer = browser.get(url)
    assert answer.status_code == status, answer.content[:500]
    return answer.content.decode()


def names(page: str) -> list[str]:
    found = re.findall(r"data-row-link[^>]*>(.*?)</a>", page, re.DOTALL)
    return [re.sub(r"<[^>]*>", "", name).strip() for name in found]


# --- The list ----------------------------------------------------------------------------------


def test_a_project_without_traces_leads_to_getting_started(browser: Client, traces: str) -> None:
    answer = browser.get(traces)
    assert answer.status_code == 302
    assert answer["Location"].endswith("/getting-started/")
    assert "Waiting for the first span" in shown(browser, answer["Location"])


def test_getting_started_shows_the_first_trace_when_it_is_here(
    browser: Client, project: Project
) -> None:
    made.stored(made.span(project.id, made.trace_id(), name="first of all"))
    page = shown(browser, f"/projects/{project.id}/getting-started/arrival/")
    assert "data-arrived" in page
    assert "The first trace is here" in page
    assert "first of all" in page


def test_getting_started_calls_only_the_first_trace_the_first(
    browser: Client, project: Project
) -> None:
    now_ns = time.time_ns()
    for number, name in enumerate(("of before", "of today")):
        start_ns = now_ns - (10 - number) * 10**9
        made.stored(made.span(project.id, made.trace_id(), name=name, start_ns=start_ns))
    page = shown(browser, f"/projects/{project.id}/getting-started/")
    assert "The first trace is here" not in page
    assert re.search(r"this is the newest</b>.*of today", page, re.DOTALL)


def test_getting_started_tells_no_key_from_revoked_ones(
    browser: Client, project: Project, ada: User
) -> None:
    start = f"/projects/{project.id}/getting-started/"
    assert "This project has no key yet." in shown(browser, start)
    key, _ = api_keys.create(project, "Laptop", ada)
    assert "The newest key is <b>Laptop</b>" in shown(browser, start)
    api_keys.revoke(key)
    page = shown(browser, start)
    assert "Every key of this project was revoked" in page
    assert "no key yet" not in page


def test_a_filter_that_nothing_fits_says_so_and_offers_everything(
    browser: Client, traces: str
) -> None:
    for query, said in {
        "?q=nothing": "fits the search.",
        "?view=finding": "fits the view “With findings”.",
        "?view=running&range=1h&user=u": (
            "fits the view “Running”, this user and the time range “Last hour”."
        ),
        "?session=s": "fits this session.",
    }.items():
        page = shown(browser, f"{traces}{query}")
        assert "No trace matches" in page
        assert said in page
        assert f'href="{traces}">Show all traces' in page
        assert f'href="{traces}">Clear' in page


def test_the_search_says_what_it_searches(browser: Client, traces: str, project: Project) -> None:
    made.stored(made.span(project.id, made.trace_id()))
    field = re.search(r'<input type="text" name="q"[^>]*>', shown(browser, traces))
    assert field is not None
    for word in ("name", "input", "output", "errors", "findings", "session", "user", "trace id"):
        assert word in field[0], word
    assert "30 days back" in shown(browser, f"{traces}?q=nothing")


def test_beyond_the_oldest_trace_the_way_leads_back(
    browser: Client, traces: str, project: Project
) -> None:
    spans = [
        made.span(project.id, made.trace_id(), name=f"run {n}", start_ns=time.time_ns() - n * 10**9)
        for n in range(2)
    ]
    made.stored(*spans)
    oldest = SpanReader(project.id).traces(TraceFilter(), limit=1).next_cursor
    assert names(shown(browser, f"{traces}?cursor={oldest}")) == ["run 1"]
    oldest = SpanReader(project.id).traces(TraceFilter()).rows[-1]
    end = to_cursor([oldest.start_ns, oldest.trace_id])
    page = shown(browser, f"{traces}?cursor={end}")
    assert "No older traces" in page
    assert "Send the first trace" not in page
    assert 'href="?">Back to the newest' in page
    assert 'href="?view=error">Back to the newest' in shown(
        browser, f"{traces}?cursor={end}&view=error"
    )


def test_a_project_with_evaluations_only_says_so(
    browser: Client, traces: str, project: Project
) -> None:
    made.stored(made.span(project.id, made.trace_id(), is_evaluation=True))
    assert 'href="?view=evaluation">Show the evaluations' in shown(browser, traces)


@pytest.mark.parametrize("is_settled", [False, True])
def test_evaluations_are_in_their_own_view_and_marked(
    browser: Client, traces: str, project: Project, is_settled: bool
) -> None:
    made.stored(made.span(project.id, made.trace_id(), name="in production"))
    trace_id = made.trace_id()
    made.stored(
        made.span(project.id, trace_id, name="of the test set"),
        made.span(project.id, trace_id, 2, 1, is_evaluation=True),
    )
    if is_settled:
        settle.settle_quiet()
    everything = shown(browser, traces)
    assert "in production" in everything
    assert "of the test set" not in everything
    evaluations = shown(browser, f"{traces}?view=evaluation")
    assert "in production" not in evaluations
    assert "of the test set" in evaluations
    badge = '<span class="badge is-outline">Evaluation</span>'
    assert (everything.count(badge), evaluations.count(badge)) == (0, 1)
    page = shown(browser, f"{traces}/{trace_id.hex()}/")
    assert badge in page


def test_views_ranges_and_search(browser: Client, traces: str, project: Project) -> None:
    now = time.time_ns()
    old = now - 3 * 86_400 * 10**9
    made.stored(made.span(project.id, made.trace_id(), name="settled"))
    made.stored(made.span(project.id, made.trace_id(), name="failed", status="error"))
    made.stored(made.span(project.id, made.trace_id(), name="old", start_ns=old, end_ns=old + 1))
    found = made.stored(made.span(project.id, made.trace_id(), name="found", session_id="s 1&2"))
    made.stored(made.span(project.id, found, 2, 1, status="error", error_message="quota exceeded"))
    settle.settle_quiet()
    marks.mark(project.id, found, name="finding", source_id="1", label="Lost tool")
    made.stored(made.span(project.id, made.trace_id(), name="live", user_id="u"))
    for query, expected in {
        "": {"settled", "failed", "old", "found", "live"},
        "?view=error": {"failed"},
        "?view=finding": {"found"},
        "?view=running": {"live"},
        "?range=24h": {"settled", "failed", "found", "live"},
        "?range=7d": {"settled", "failed", "old", "found", "live"},
        "?q=ettl": {"settled"},
        "?q=%20LIVE ": {"live"},
        f"?q={found.hex()}": {"found"},
        "?session=s+1%262": {"found"},
        "?user=u": {"live"},
        "?q=quota+exceeded": {"found"},
        "?q=%22exceeded+quota%22": set(),
        "?q=lost+found+exceeded": {"found"},
        "?range=1h&q=%22lost+tool%22": {"found"},
        "?view=error&q=settled": set(),
        "?view=nonsense&range=nonsense": {"settled", "failed", "old", "found", "live"},
        "?q=%00": set(),
        "?q=%ff%5CN": set(),
    }.items():
        page = shown(browser, traces + query)
        assert set(names(page)) == expected, query
    assert "Lost tool" in shown(browser, traces)


def test_older_pages_follow_by_cursor_and_a_bad_cursor_starts_again(
    browser: Client, traces: str, project: Project
) -> None:
    now = time.time_ns()
    spans = [
        made.span(project.id, made.trace_id(), name=f"run {n}", start_ns=now - n * 10**6)
        for n in range(53)
    ]
    made.stored(*spans)
    first = shown(browser, f"{traces}?range=7d")
    older = re.search(r'rel="next" href="([^"]*)"', first)
    assert older is not None
    second = shown(browser, traces + older[1].replace("&amp;", "&"))
    assert names(first) + names(second) == [f"run {n}" for n in range(53)]
    assert "range=7d" in older[1]
    answer = browser.get(f"{traces}?range=7d&cursor=nonsense")
    assert (answer.status_code, answer["Location"]) == (302, f"{traces}?range=7d")


@pytest.mark.parametrize("parameter", ["spanId", "span"])
def test_links_of_published_clients_lead_to_the_trace(
    parameter: str, browser: Client, traces: str
) -> None:
    answer = browser.get(f"{traces}?traceId={'AB' * 16}&{parameter}={'cd' * 8}")
    assert answer["Location"] == f"{traces}/{'ab' * 16}/?span={'cd' * 8}"
    assert browser.get(f"{traces}?traceId={'ab' * 16}")["Location"] == f"{traces}/{'ab' * 16}/"


@pytest.mark.parametrize("value", ["x", "zz" * 16, "aa+" * 10 + "aa", "../" * 10 + "aa", "a" * 33])
def test_a_link_without_a_trace_id_is_just_the_list(
    value: str, browser: Client, traces: str, project: Project
) -> None:
    made.stored(made.span(project.id, made.trace_id()))
    assert names(shown(browser, f"{traces}?traceId={value}")) == ["span 1"]


# --- The trace ---------------------------------------------------------------------------------


def panel(browser: Client, traces: str, span: Span, tab: str = "") -> str:
    url = f"{traces}/{span.trace_id.hex()}/spans/{span.span_id.hex()}/"
    return shown(browser, f"{url}?tab={tab}")


def agent_run(project: Project) -> list[Span]:
    trace_id = made.trace_id()
    stack = "Traceback\n  File 'a.py'"
    longer = f"{stack}\n  File 'b.py'"
    failed = {"exception.type": "TimeoutError", "exception.message": "too late"}
    return [
        made.span(project.id, trace_id, 1, kind="agent", name="support.turn"),
        made.span(
            project.id, trace_id, 2, 1, kind="llm", name="chat", model="gpt-4o",
            input='[{"role":"user","content":"Where is it?"}]', usage=Usage(10, output=5),
            output='{"role":"assistant","content":"On its way."}', attributes={"temperature": 0.5},
        ),
        made.span(
            project.id, trace_id, 3, 1, kind="tool", name="lookup", tool_name="lookup",
            status="error", input='{"id": 7}', error_type="TimeoutError", error_message="too late",
            events=(
                SpanEvent(5, "exception", {**failed, "exception.stacktrace": stack}),
                SpanEvent(6, "exception", {**failed, "exception.stacktrace": longer}),
            ),
        ),
    ]  # fmt: skip


def test_the_trace_page_opens_at_the_failure_and_holds_the_tree(
    browser: Client, traces: str, project: Project
) -> None:
    spans = agent_run(project)
    made.stored(*spans)
    url = f"{traces}/{spans[0].trace_id.hex()}/"
    page = shown(browser, url)
    assert f'selected="{spans[2].span_id.hex()}"' in page
    assert "too late" in page
    assert "support.turn" in page
    rows = browser.get(f"{url}tree/").json()["rows"]
    assert [(row["name"], row["depth"]) for row in rows] == [
        ("support.turn", 0), ("chat", 1), ("lookup", 1),
    ]  # fmt: skip
    assert "15" in shown(browser, f"{url}facts/")
    chosen = shown(browser, f"{url}?span={spans[1].span_id.hex().upper()}")
    assert "On its way." in chosen


def test_each_tab_of_a_panel(browser: Client, traces: str, project: Project) -> None:
    _, call, tool = spans = agent_run(project)
    made.stored(*spans)
    assert "Where is it?" in panel(browser, traces, call, "messages")
    assert "role" in panel(browser, traces, call, "raw")
    assert "temperature" in panel(browser, traces, call, "attributes")
    assert "no events" in panel(browser, traces, call, "events")
    assert "b.py" in panel(browser, traces, tool, "events")
    assert "gpt-4o" in panel(browser, traces, call, "nonsense")


def test_an_exception_recorded_twice_is_shown_once_with_its_longest_stack(
    browser: Client, traces: str, project: Project
) -> None:
    spans = agent_run(project)
    found = panels.context(spans[2], "")["exceptions"]
    assert [(kind, message) for kind, message, _ in found] == [("TimeoutError", "too late")]
    assert found[0][2].endswith("File 'b.py'")
    made.stored(*spans)
    page = panel(browser, traces, spans[2], "messages")
    assert page.count("<b><bdi>TimeoutError</bdi></b>: <bdi>too late</bdi>") == 1


def hostile_spans(project: Project) -> list[dict[str, Any]]:
    return [
        {
            "name": HOSTILE, "input": HOSTILE, "output": HOSTILE, "session_id": HOSTILE,
            "user_id": HOSTILE, "tags": (HOSTILE,) * 5,
            "metadata": {"items": "x", HOSTILE: HOSTILE},
            "trace_metadata": {"items": "x"}, "environment": HOSTILE, "model": HOSTILE,
            "agent_name": HOSTILE, "git_ref": HOSTILE, "status": "error",
            "error_type": HOSTILE, "error_message": HOSTILE, "attributes": {HOSTILE: HOSTILE},
            "events": (SpanEvent(1, HOSTILE, {"items": 1, HOSTILE: {"items": HOSTILE}}),),
            "sources": {"input": HOSTILE},
        },
        {"name": "", "kind": "llm", "input": "{" * 1_000_000, "output": "x" * 1_000_000},
        {"attributes": {f"key {n}": "v" * 50 for n in range(10_000)}},
        {"attributes": {"bytes": b"\xff" * 99, "nan": float("nan"), "deep": {"items": [None]}}},
        {"kind": "llm", "input": '[{"role":5},[],"x",null,{"content":[7]}]', "output": "[[[["},
        {"kind": "tool", "start_ns": 2**64 - 1, "end_ns": 1, "first_token_ns": 5},
        {"start_ns": 0, "end_ns": 0, "usage": Usage(other={"a": float("inf")})},
        {"events": tuple(SpanEvent(n, "e", {"a": "b"}) for n in range(5000))},
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("tab", ["messages", "raw", "attributes", "events"])
def test_hostile_content_stays_text_and_pages_stay_small(
    number: int, tab: str, browser: Client, traces: str, project: Project
) -> None:
    span = made.span(project.id, made.trace_id(), **hostile_spans(project)[number])
    made.stored(span)
    url = f"{traces}/{span.trace_id.hex()}/"
    for page in (
        shown(browser, f"{url}?tab={tab}"),
        panel(browser, traces, span, tab),
        shown(browser, f"{url}facts/"),
        shown(browser, traces),
    ):
        assert "<script>alert" not in page
        assert "ZQMARK" not in page  # templates are not rendered twice
        assert len(page) < 2_500_000
    assert browser.get(f"{url}tree/").json()["rows"][0]["id"] == span.span_id.hex()


def test_what_a_panel_leaves_out_it_says(browser: Client, traces: str, project: Project) -> None:
    attributes = {f"key {n}": "v" for n in range(1_500)}
    events = tuple(SpanEvent(n, "e", {}) for n in range(250))
    span = made.span(project.id, made.trace_id(), attributes=attributes, events=events)
    made.stored(span)
    assert "500 more attributes" in panel(browser, traces, span, "attributes")
    assert "50 more events" in panel(browser, traces, span, "events")


def test_spans_that_are_their_own_ancestors_have_a_page(
    browser: Client, traces: str, project: Project
) -> None:
    trace_id = made.trace_id()
    start = time.time_ns() - 10**9
    made.stored(
        made.span(project.id, trace_id, 1, 2, start_ns=start),
        made.span(project.id, trace_id, 2, 1, start_ns=start + 1),
        made.span(project.id, trace_id, 3, 2, start_ns=start - 1),  # below, and not in it
    )
    rows = browser.get(f"{traces}/{trace_id.hex()}/tree/").json()["rows"]
    assert [(row["name"], row["depth"], row.get("note")) for row in rows] == [
        ("span 1", 0, "cycle in parents"),
        ("span 2", 1, "cycle in parents"),
        ("span 3", 2, None),
    ]
    page = shown(browser, f"{traces}/{trace_id.hex()}/")
    assert "Cycle in parents: 2 spans are their own ancestors" in page
    assert "root span has not arrived" not in page


def test_a_span_that_names_itself_as_parent_is_a_cycle_beside_the_real_tree(
    browser: Client, traces: str, project: Project
) -> None:
    trace_id = made.trace_id()
    made.stored(made.span(project.id, trace_id, 1), made.span(project.id, trace_id, 2, 2))
    rows = browser.get(f"{traces}/{trace_id.hex()}/tree/").json()["rows"]
    assert [(row["name"], row["depth"]) for row in rows] == [("span 1", 0), ("span 2", 0)]
    page = shown(browser, f"{traces}/{trace_id.hex()}/")
    assert "Cycle in parents: the span “span 2” names itself as its parent" in page


def test_a_missing_root_is_still_called_one(browser: Client, traces: str, project: Project) -> None:
    trace_id = made.trace_id()
    made.stored(made.span(project.id, trace_id, 1, 9), made.span(project.id, trace_id, 2, 2))
    page = shown(browser, f"{traces}/{trace_id.hex()}/")
    assert "Cycle in parents: the span “span 2”" in page
    assert "the root span has not arrived" in page.lower()


TURNING = "invoice\u202egnp.exe"


@pytest.mark.parametrize("tab", ["messages", "raw", "attributes", "events"])
def test_characters_that_turn_text_are_shown_as_marks(
    tab: str, browser: Client, traces: str, project: Project
) -> None:
    called = {"role": "user", "content": TURNING}
    span = made.span(
        project.id, made.trace_id(), kind="llm", name=TURNING, session_id=TURNING, user_id=TURNING,
        model=TURNING, environment=TURNING, release=TURNING, agent_name=TURNING, status="error",
        error_type=TURNING, error_message=TURNING, output=json.dumps([called]),
        attributes={TURNING: TURNING}, metadata={TURNING: TURNING}, tags=(TURNING,) * 3,
        events=(SpanEvent(1, TURNING, {TURNING: TURNING, "exception.message": TURNING}),),
    )  # fmt: skip
    made.stored(span)
    settle.settle_quiet()
    marks.mark(project.id, span.trace_id, name="finding", source_id="1", label=TURNING)
    url = f"{traces}/{span.trace_id.hex()}/"
    for page in (
        shown(browser, traces),
        shown(browser, f"{traces}?session={TURNING}&user={TURNING}"),
        shown(browser, f"{url}?tab={tab}"),
        shown(browser, f"{url}facts/"),
    ):
        # What scripts draw, they mark; an address and the fields of a form carry what was sent.
        drawn = r"<json-view.*?</json-view>|<script.*?</script>|(?:href|value)=\"[^\"]*\""
        text = re.sub(drawn, "", page, flags=re.DOTALL)
        assert "\u202e" not in text, text[text.index("\u202e") - 300 :][:400]
        assert ">RLO</span>gnp.exe</bdi>" in text


# --- What is not there -------------------------------------------------------------------------


def test_an_unknown_trace_or_span_is_not_found(
    browser: Client, traces: str, project: Project, other_project: Project
) -> None:
    ours = made.stored(made.span(project.id, made.trace_id()))
    theirs = made.stored(made.span(other_project.id, made.trace_id()))
    for trace_id in (b"\x01" * 16, theirs):
        for part in ("", "facts/", "tree/", f"spans/{made.span_id(1).hex()}/"):
            shown(browser, f"{traces}/{trace_id.hex()}/{part}", 404)
    shown(browser, f"{traces}/{ours.hex()}/spans/{made.span_id(9).hex()}/", 404)
    shown(browser, f"{traces}/{'z' * 32}/", 404)
    page = f"{traces}/{ours.hex()}/"
    said = "The span that this address names is not in the trace."
    for asked, is_said in (
        ("nonsense", True),
        (made.span_id(9).hex(), True),
        ("", False),
        (made.span_id(1).hex().upper(), False),
    ):
        text = shown(browser, f"{page}?span={asked}")
        assert "span 1" in text
        assert (said in text) == is_said, asked


def test_with_the_store_down_there_is_a_designed_page_with_what_to_quote(
    store: EngineProcess, browser: Client, traces: str, project: Project
) -> None:
    trace_id = made.stored(made.span(project.id, made.trace_id()))
    store.stop()
    try:
        for url in (
            traces,
            f"{traces}/{trace_id.hex()}/",
            f"/projects/{project.id}/getting-started/",
        ):
            answer = browser.get(url)
            page = answer.content.decode()
            assert answer.status_code == 503
            assert int(answer["Retry-After"]) > 0
            assert answer["X-Request-Id"] in page
            assert "</nav>" in page  # inside the product, with a way out
            assert f'href="{url}"' in page  # and a way to try again
        part = browser.get(f"{traces}/{trace_id.hex()}/facts/", headers={"HX-Request": "true"})
        assert part.status_code == 503
        assert "<html" not in part.content.decode()
    finally:
        store.start()
    shown(browser, traces)
