"""Sessions and users: figures of their traces, pages without gaps, nothing of another project."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from decimal import Decimal

import pytest

from tests.traces import made
from traces import settle
from traces.spans import Usage
from traces.store.filters import TraceFilter
from traces.store.reader import BadCursor, SpanReader
from traces.store.reads.activity import Activity

pytestmark = pytest.mark.usefixtures("store")
ALL = TraceFilter()


def trace(project_id: uuid.UUID, start_ns: int, **fields: object) -> bytes:
    return made.stored(
        made.span(
            project_id, made.trace_id(), start_ns=start_ns, end_ns=start_ns + made.SECOND, **fields
        )
    )


def pages(reader: SpanReader, limit: int, wanted: TraceFilter = ALL) -> list[Activity]:
    rows: list[Activity] = []
    cursor = ""
    while True:
        page = reader.sessions(wanted, limit=limit, cursor=cursor)
        rows += page.rows
        if not page.next_cursor:
            return rows
        cursor = page.next_cursor


def test_a_session_has_the_figures_of_its_traces_and_the_words_of_its_last() -> None:
    project_id, now = uuid.uuid4(), time.time_ns()
    trace(
        project_id, now - 30 * made.SECOND, session_id="s", user_id="ann", kind="llm", model="m",
        usage=Usage(uncached_input=3, cache_read=2, output=4), computed_cost_usd=Decimal("0.25"),
        input="first question", output="first answer",
    )  # fmt: skip
    last = trace(
        project_id, now - 9 * made.SECOND, session_id="s", user_id="bob", status="error",
        input="last question", output="last answer",
    )  # fmt: skip
    trace(project_id, now - 5 * made.SECOND, session_id="t")
    trace(project_id, now - 4 * made.SECOND)  # of no session
    settle.settle_quiet()
    newer, session = SpanReader(project_id).sessions(ALL).rows
    assert newer.id == "t"
    assert (session.id, session.traces, session.spans) == ("s", 2, 2)
    assert (session.failed_traces, session.errors) == (1, 1)
    assert (session.first_ns, session.latest_start_ns, session.last_ns) == (
        now - 30 * made.SECOND,
        now - 9 * made.SECOND,
        now - 8 * made.SECOND,
    )
    assert (session.users, session.some_users) == (2, ("ann", "bob"))
    assert (session.input_tokens, session.output_tokens) == (5, 4)
    assert session.cost_usd == Decimal("0.25")
    assert session.last_trace_id == last
    assert (session.input_preview, session.output_preview) == ("last question", "last answer")
    assert newer.cost_usd is None


def test_a_users_sessions_are_counted() -> None:
    project_id, now = uuid.uuid4(), time.time_ns()
    for session in ("a", "b", ""):
        trace(project_id, now, user_id="ann", session_id=session)
    trace(project_id, now, session_id="c")
    settle.settle_quiet()
    (user,) = SpanReader(project_id).users(ALL).rows
    assert (user.id, user.traces, user.sessions) == ("ann", 3, 2)


def test_pages_show_each_session_once_the_last_active_first() -> None:
    project_id, instant = uuid.uuid4(), time.time_ns() - made.SECOND
    for number in range(7):
        trace(project_id, instant, session_id=f"same instant {number}")
    for number in range(4):
        trace(project_id, instant - number, session_id=f"'größe {number}")
    settle.settle_quiet()
    found = [row.id for row in pages(SpanReader(project_id), 3)]
    assert len(found) == len(set(found)) == 11
    assert found[-1] == "'größe 3"
    assert found[:8] == sorted(found[:8], reverse=True)


def test_the_figures_are_of_the_traces_that_match() -> None:
    project_id, now = uuid.uuid4(), time.time_ns()
    trace(project_id, now - 50 * made.SECOND, session_id="s", status="error")
    trace(project_id, now, session_id="s")
    settle.settle_quiet()
    reader = SpanReader(project_id)
    (found,) = reader.sessions(TraceFilter(status="error")).rows
    assert (found.traces, found.latest_start_ns) == (1, now - 50 * made.SECOND)
    late = dt.datetime.fromtimestamp(now / 1e9, dt.UTC) - dt.timedelta(seconds=9)
    (found,) = reader.sessions(TraceFilter(since=late)).rows
    assert (found.traces, found.failed_traces) == (1, 0)
    assert not reader.sessions(TraceFilter(name="nothing")).rows


def test_late_spans_change_a_session_and_do_not_double_it() -> None:
    project_id, now = uuid.uuid4(), time.time_ns()
    trace_id = trace(project_id, now, session_id="s")
    settle.settle_quiet()
    made.stored(made.span(project_id, trace_id, 2, 1, start_ns=now, session_id="s"))
    settle.settle_quiet()
    (found,) = SpanReader(project_id).sessions(ALL).rows
    assert (found.traces, found.spans) == (1, 2)


def test_another_projects_sessions_and_users_are_not_seen() -> None:
    ours, theirs = uuid.uuid4(), uuid.uuid4()
    trace(theirs, time.time_ns(), session_id="s", user_id="u")
    settle.settle_quiet()
    reader = SpanReader(ours)
    assert reader.sessions(ALL).rows == reader.users(ALL).rows == []


@pytest.mark.parametrize("cursor", ["x", "WzEsIDJd", "Wy0xLCAiYSJd", "W10", "é"])
def test_a_cursor_that_is_none_of_ours_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        SpanReader(uuid.uuid4()).sessions(ALL, cursor=cursor)
