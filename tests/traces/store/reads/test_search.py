"""Text search: the same spans with the index and without it, in every script."""

from __future__ import annotations

import datetime as dt
import io
import time
import uuid
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.core.management import call_command

from tests.traces import made
from traces.store import client, statements, text_index
from traces.store.engine.process import EngineProcess
from traces.store.reader import BadCursor, SpanReader
from traces.store.reads import search_words

# One index for the table: tests that add it must not run beside those that are asked without it.
pytestmark = [pytest.mark.usefixtures("index"), pytest.mark.xdist_group("text-index")]


@pytest.fixture(scope="module", params=[False, True], ids=["scan", "index"])
def index(request: pytest.FixtureRequest, engine: EngineProcess) -> Iterator[None]:
    if not engine.is_running:
        engine.start()
    if request.param:
        call_command("build_text_index", stdout=io.StringIO())
    else:
        text_index.drop()
    assert text_index.is_built() == request.param
    yield
    text_index.drop()


def names(project_id: UUID, text: str) -> list[str]:
    return sorted(hit.name for hit in SpanReader(project_id).search(text).hits)


def test_all_words_must_occur_somewhere_in_the_span() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    made.stored(
        made.span(
            project_id, trace_id, 1, name="refund agent", input="Please refund order-77 NOW",
            output="Größe unbekannt", error_message="fare_not_refundable",
            status_message="gave up",
        ),
        made.span(project_id, trace_id, 2, 1, name="other", input="refund nothing, order later"),
    )  # fmt: skip
    for text, expected in {
        "refund": ["other", "refund agent"],
        "REFUND order": ["other", "refund agent"],
        "agent unbekannt 77": ["refund agent"],
        "order-77": ["refund agent"],
        '"refund order"': ["refund agent"],
        '"order refund"': [],
        "GRÖSSE": [],
        "GRÖßE": ["refund agent"],
        "refundable": ["refund agent"],
        "fare_not_refundable": ["refund agent"],
        '"gave up"': ["refund agent"],
        "refun": [],  # words, not parts of words
        "refund absent": [],
        "": [],
        "  ": [],
    }.items():
        assert names(project_id, text) == expected, text


def test_scripts_without_spaces_are_found_inside_a_sentence() -> None:
    project_id = uuid.uuid4()
    for name, text in {
        "zh": "请帮我取消明天的航班并退款",
        "ja": "注文をキャンセルしてください",
        "ko": "환불을요청합니다",
        "mixed": "新款iPhone手机 v2",
    }.items():
        made.stored(made.span(project_id, made.trace_id(), name=name, output=text))
    for text, expected in {
        "退款": ["zh"],
        "退": ["zh"],
        "明天的航班": ["zh"],
        "航班 退款": ["zh"],
        "款退": [],
        "キャンセル": ["ja"],
        "환불을": ["ko"],
        "IPHONE手机": ["mixed"],
        "手机 v2": ["mixed"],
        "手机 v3": [],
    }.items():
        assert names(project_id, text) == expected, text


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE spans --", "\\", "%", "{x:String}", "\0", "😀", '"']
)
def test_what_looks_like_sql_is_text(text: str) -> None:
    project_id = uuid.uuid4()
    made.stored(made.span(project_id, made.trace_id(), name="it", input=f"a {text} b"))
    made.stored(made.span(project_id, made.trace_id(), name="not", input="DRP TABL span x String"))
    assert names(project_id, text) == ["it"]


def test_a_hit_shows_where_the_word_stands() -> None:
    project_id = uuid.uuid4()
    made.stored(
        made.span(project_id, made.trace_id(), input="x" * 500 + " Needle " + "ö" * 500, kind="llm")
    )
    (hit,) = SpanReader(project_id).search("needle").hits
    assert hit.field == "input"
    assert "Needle" in hit.snippet
    assert hit.snippet.startswith("…x")
    assert hit.snippet.endswith("ö…")
    assert len(hit.snippet) == 242


def test_pages_show_every_hit_once_the_latest_first() -> None:
    project_id, now = uuid.uuid4(), time.time_ns()
    for hours in (0, 0, 0, 1, 5, 30, 100, 500):
        start_ns = now - hours * 3600 * 10**9
        made.stored(
            made.span(
                project_id, made.trace_id(), start_ns=start_ns, received_ns=start_ns,
                name=f"{hours}", input="needle",
            )
        )  # fmt: skip
    reader, shown, cursor = SpanReader(project_id), [], ""
    while True:
        page = reader.search("needle", limit=2, cursor=cursor)
        assert len(page.hits) <= 2
        shown += page.hits
        cursor = page.next_cursor
        if not cursor:
            break
    assert [hit.name for hit in shown] == ["0", "0", "0", "1", "5", "30", "100", "500"]
    assert len({hit.trace_id for hit in shown}) == 8
    assert page.searched_since < dt.datetime.now(dt.UTC) - dt.timedelta(days=29)


def test_the_newest_version_of_a_span_is_what_counts() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    made.stored(made.span(project_id, trace_id, input="pending needle", version=1))
    made.stored(made.span(project_id, trace_id, input="final", version=2))
    assert names(project_id, "needle") == []
    assert names(project_id, "final") == ["span 1"]


def test_ranges_evaluations_and_projects_are_kept_apart() -> None:
    project_id, now = uuid.uuid4(), dt.datetime.now(dt.UTC)
    made.stored(made.span(project_id, made.trace_id(), input="needle", is_evaluation=True))
    made.stored(made.span(project_id, made.trace_id(), input="needle"))
    reader = SpanReader(project_id)
    assert len(reader.search("needle").hits) == 1
    assert len(reader.search("needle", include_evaluations=True).hits) == 2
    marked = made.trace_id()
    made.stored(
        made.span(project_id, marked, is_evaluation=True),
        made.span(project_id, marked, 2, 1, input="needle"),  # of an automatic instrumentation
    )
    assert len(reader.search("needle").hits) == 1
    assert len(reader.search("needle", include_evaluations=True).hits) == 3
    hour = dt.timedelta(hours=1)
    assert reader.search("needle", until=now - hour).hits == []
    assert len(reader.search("needle", since=now - hour).hits) == 1
    assert SpanReader(uuid.uuid4()).search("needle").hits == []
    with pytest.raises(BadCursor):
        reader.search("needle", cursor="e30")


def test_the_plan_uses_the_index_when_it_is_built() -> None:
    project_id = uuid.uuid4()
    made.stored(made.span(project_id, made.trace_id(), input="needle 退款吧"))
    is_built = text_index.is_built()
    for text, name in (("needle", "text_words"), ("退款", "text_unspaced")):
        wanted = search_words.of(text)
        assert wanted is not None
        sql = statements.with_filter("span_search_keys", wanted.fragments(is_indexed=is_built))
        bounds = {"since": 0, "until": 2**32 - 1, "before": 2**32 - 2, "limit": 9}
        plan = client.query(
            f"EXPLAIN indexes = 1 {sql}",
            {
                **wanted.parameters(), **bounds, "before_trace": "ff" * 16, "before_span": "ff" * 8,
                "include_evaluations": False, "project_id": str(project_id),
            },
        )  # fmt: skip
        said = "\n".join(str(row["explain"]) for row in plan)
        assert (f"Name: {name}" in said) == is_built
