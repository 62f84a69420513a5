"""Reads of one project: every trace once, the newest truth, and nothing of another project."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from typing import Any

import pytest

from tests.traces import made
from traces import settle
from traces.store import client, marks, system
from traces.store.filters import Condition, TraceFilter
from traces.store.reader import BadCursor, SpanReader
from traces.store.rows import TraceSummary

pytestmark = pytest.mark.usefixtures("store")
ALL = TraceFilter()


def settled(*spans: Any) -> bytes:
    trace_id = made.stored(*spans)
    settle.settle_quiet()
    assert SpanReader(spans[0].project_id).trace(trace_id).generation  # type: ignore[union-attr]
    return trace_id


def pages(reader: SpanReader, wanted: TraceFilter = ALL, limit: int = 3) -> list[TraceSummary]:
    rows: list[TraceSummary] = []
    cursor = ""
    while True:
        page = reader.traces(wanted, limit=limit, cursor=cursor)
        rows += page.rows
        assert len(page.rows) <= limit
        if not page.next_cursor:
            return rows
        cursor = page.next_cursor


def ids(rows: list[TraceSummary]) -> list[bytes]:
    return [row.trace_id for row in rows]


def test_pages_show_each_of_many_traces_of_one_instant_once_running_or_settled() -> None:
    project_id, instant = uuid.uuid4(), time.time_ns() - 10**9
    early = [made.span(project_id, made.trace_id(), start_ns=instant) for _ in range(7)]
    made.stored(*early)
    settle.settle_quiet()
    late = [made.span(project_id, made.trace_id(), start_ns=instant) for _ in range(6)]
    made.stored(*late)
    shown = pages(SpanReader(project_id))
    assert sorted(ids(shown)) == sorted(span.trace_id for span in early + late)
    assert ids(shown) == sorted(ids(shown), reverse=True)
    assert {row.status for row in shown} == {"ok", "running"}


def test_a_trace_that_settles_between_two_pages_is_neither_lost_nor_repeated() -> None:
    project_id = uuid.uuid4()
    spans = [made.span(project_id, made.trace_id(), n + 1) for n in range(6)]
    made.stored(*spans)
    reader = SpanReader(project_id)
    first = reader.traces(ALL, limit=3)
    settle.settle_quiet()
    second = reader.traces(ALL, limit=3, cursor=first.next_cursor)
    shown = ids(first.rows) + ids(second.rows)
    assert sorted(shown) == sorted(span.trace_id for span in spans)


def test_a_settled_row_that_was_written_twice_takes_no_place_of_another() -> None:
    """Who settled was killed before it knew that it had: the next one wrote the same rows."""
    project_id, now = uuid.uuid4(), time.time_ns()
    spans = [made.span(project_id, made.trace_id(), start_ns=now - n * 10**9) for n in range(1, 30)]
    made.stored(*spans)
    client.command("SYSTEM STOP MERGES traces")
    try:
        settle.settle_quiet()
        client.command(
            "INSERT INTO traces SELECT * FROM traces WHERE project_id = {project:UUID}",
            {"project": str(project_id)},
        )
        shown = pages(SpanReader(project_id), limit=7)
        assert ids(shown) == [span.trace_id for span in spans]
    finally:
        client.command("SYSTEM START MERGES traces")


def test_more_running_traces_than_a_page_are_listed_on_the_next() -> None:
    project_id, now = uuid.uuid4(), time.time_ns()
    spans = [made.span(project_id, made.trace_id(), start_ns=now - n * 10**6) for n in range(250)]
    made.stored(*spans)
    shown = pages(SpanReader(project_id), limit=200)
    assert ids(shown) == [span.trace_id for span in spans]


def test_running_traces_that_are_no_failure_hide_no_failed_one_behind_them() -> None:
    project_id, now = uuid.uuid4(), time.time_ns()
    recovered = [made.trace_id() for _ in range(9)]
    for n, trace_id in enumerate(recovered):
        made.stored(
            made.span(project_id, trace_id, 1, start_ns=now - n),
            made.span(project_id, trace_id, 2, 1, start_ns=now - n, status="error"),
        )
    failed = made.span(project_id, made.trace_id(), start_ns=now - 10**9, status="error")
    made.stored(failed)
    shown = pages(SpanReader(project_id), TraceFilter(status="error"), limit=3)
    assert ids(shown) == [failed.trace_id]


@pytest.mark.parametrize("start_ns", [2**64 - 1, 7_258_118_400 * 10**9], ids=["last", "2200"])
def test_a_clock_ahead_is_listed_by_arrival_running_and_settled(start_ns: int) -> None:
    """Not for ever at the top, not out of every page, and not for centuries."""
    project_id = uuid.uuid4()
    end_ns = min(start_ns + 10 * made.SECOND, 2**64 - 1)
    ahead = made.span(project_id, made.trace_id(), start_ns=start_ns, end_ns=end_ns)
    made.stored(ahead)
    time.sleep(0.01)
    good = made.span(project_id, made.trace_id(), start_ns=time.time_ns())
    made.stored(good)
    reader = SpanReader(project_id)
    around_now = TraceFilter(
        since=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1),
        until=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1),
    )
    for state in ("running", "ok"):
        for wanted in (ALL, around_now):
            shown = pages(reader, wanted, limit=1)
            assert ids(shown) == [good.trace_id, ahead.trace_id]
            assert [row.status for row in shown] == [state, state]
            assert shown[1].duration_ns == end_ns - start_ns
            assert reader.count(wanted) == 2
        assert reader.outline(ahead.trace_id)[0].start_ns == start_ns  # what was sent is kept
        settle.settle_quiet()


def test_a_settled_trace_with_an_earlier_late_span_is_shown_once_where_it_belongs() -> None:
    project_id, now = uuid.uuid4(), time.time_ns()
    trace_id = settled(made.span(project_id, made.trace_id(), 1, start_ns=now - 10**9))
    made.stored(made.span(project_id, made.trace_id(), 1, start_ns=now - 5 * 10**9))
    made.stored(made.span(project_id, trace_id, 2, 1, start_ns=now - 9 * 10**9))
    shown = pages(SpanReader(project_id), limit=1)
    assert len(shown) == 2
    assert shown[1].trace_id == trace_id
    assert shown[1].span_count == 2


@pytest.mark.parametrize("cursor", ["x", "e30", "W10", "WzEsImFiIl0", "WyJhIiwiYiJd", "é", "=" * 9])
def test_a_cursor_that_is_none_of_ours_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        SpanReader(uuid.uuid4()).traces(ALL, cursor=cursor)


HOSTILE_TEXTS = ["'; DROP TABLE spans --", "\\N", "a\nb\tc\\", "{x:String}", "%", "\0", "é😀", "'"]


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_values_of_filters_are_values_whatever_they_look_like(text: str) -> None:
    project_id = uuid.uuid4()
    wanted = settled(
        made.span(
            project_id,
            made.trace_id(),
            name=text,
            session_id=text,
            user_id=text,
            environment=text,
            model=text,
            metadata={text: text},
        )
    )
    settled(made.span(project_id, made.trace_id(), name="other"))
    reader = SpanReader(project_id)
    for filter_ in (
        TraceFilter(name=text),
        TraceFilter(text=text),
        TraceFilter(session_id=text),
        TraceFilter(user_id=text),
        *(
            TraceFilter(conditions=(Condition(field, op, (text,), key=text),))
            for field in ("name", "environment", "session_id", "user_id", "model_name", "metadata")
            for op in ("in", "eq", "contains")
        ),
    ):
        assert ids(reader.traces(filter_).rows) == [wanted], filter_
        assert reader.count(filter_) == 1


def test_number_conditions() -> None:
    project_id, now = uuid.uuid4(), time.time_ns()
    wanted = settled(
        made.span(project_id, made.trace_id(), start_ns=now - 4 * 10**9, end_ns=now, status="error")
    )
    settled(made.span(project_id, made.trace_id(), start_ns=now - 10**9, end_ns=now))
    reader = SpanReader(project_id)
    for condition in (
        Condition("duration_ms", "gt", number=3999.0),
        Condition("duration_ms", "eq", number=4000.0),
        Condition("errors", "gte", number=1),
    ):
        assert ids(reader.traces(TraceFilter(conditions=(condition,))).rows) == [wanted]
    everything = (Condition("cost", "lte", number=0), Condition("total_tokens", "lt", number=1e300))
    assert len(reader.traces(TraceFilter(conditions=everything)).rows) == 2


def test_running_traces_obey_the_filter_too() -> None:
    project_id = uuid.uuid4()
    wanted = made.stored(
        made.span(project_id, made.trace_id(), name="Refund", session_id="s1", status="error")
    )
    made.stored(made.span(project_id, made.trace_id(), name="other", user_id="u1"))
    reader = SpanReader(project_id)
    for filter_ in (
        TraceFilter(name="refund"),
        TraceFilter(text="reFUND"),
        TraceFilter(text="s1"),
        TraceFilter(text=wanted.hex().upper()),
        TraceFilter(session_id="s1"),
        TraceFilter(status="error"),
        TraceFilter(status="running", text="refund"),
    ):
        assert ids(reader.traces(filter_, limit=1).rows) == [wanted], filter_
        assert reader.count(filter_) == 1
    assert not reader.traces(TraceFilter(has_finding=True)).rows
    assert len(reader.traces(TraceFilter(status="running")).rows) == 2
    assert not reader.traces(TraceFilter(session_id="s")).rows


def test_a_running_trace_whose_error_is_inside_has_not_failed() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    made.stored(
        made.span(project_id, trace_id, 1), made.span(project_id, trace_id, 2, 1, status="error")
    )
    assert not SpanReader(project_id).traces(TraceFilter(status="error")).rows


def test_time_bounds_are_exact_to_the_microsecond_and_far_clocks_are_in_the_list() -> None:
    project_id = uuid.uuid4()
    moment = dt.datetime(2026, 3, 1, 12, 0, 0, 123457, tzinfo=dt.UTC)
    start = int((moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)).total_seconds()) * 10**9
    start += 123_457_000
    old = settled(made.span(project_id, made.trace_id(), start_ns=start, end_ns=start + 1))
    far = settled(made.span(project_id, made.trace_id(), start_ns=7 * 10**18))
    zero = settled(made.span(project_id, made.trace_id(), start_ns=0))
    reader = SpanReader(project_id)
    tick = dt.timedelta(microseconds=1)
    assert ids(reader.traces(ALL).rows) == [far, old, zero]
    assert reader.count(ALL) == 3
    assert ids(reader.traces(TraceFilter(since=moment, until=moment + tick)).rows) == [old]
    assert not reader.traces(TraceFilter(since=moment - tick, until=moment)).rows
    assert not reader.traces(TraceFilter(since=dt.datetime.max.replace(tzinfo=dt.UTC))).rows
    early = TraceFilter(until=dt.datetime.min.replace(tzinfo=dt.UTC))
    assert not reader.traces(early).rows


def test_an_imported_trace_of_last_year_is_found_by_its_own_time() -> None:
    project_id, year = uuid.uuid4(), 365 * 86_400
    start = time.time() - 2 * year
    trace_id = settled(made.span(project_id, made.trace_id(), start_ns=int(start * 1e9)))
    around = TraceFilter(
        since=dt.datetime.fromtimestamp(start - 9, dt.UTC),
        until=dt.datetime.fromtimestamp(start + 9, dt.UTC),
    )
    assert ids(SpanReader(project_id).traces(around).rows) == [trace_id]
    assert SpanReader(project_id).count(around) == 1


def test_a_span_sent_again_with_a_start_in_another_hour_is_one_span() -> None:
    project_id, trace_id, now = uuid.uuid4(), made.trace_id(), time.time_ns()
    made.stored(made.span(project_id, trace_id, start_ns=now - 3 * 3600 * 10**9, version=1))
    made.stored(made.span(project_id, trace_id, start_ns=now - 10**9, version=2, name="new"))
    reader = SpanReader(project_id)
    assert [span.name for span in reader.spans(trace_id)] == ["new"]
    assert [span.name for span in reader.outline(trace_id)] == ["new"]
    assert [row.span_count for row in pages(reader, limit=1)] == [1]
    settle.settle_quiet()
    assert [row.start_ns for row in pages(reader, limit=1)] == [now - 10**9]


def test_spans_come_in_time_order_and_a_limit_leaves_the_last_out() -> None:
    project_id, trace_id, now = uuid.uuid4(), made.trace_id(), time.time_ns()
    made.stored(*(made.span(project_id, trace_id, n, start_ns=now - n) for n in range(1, 6)))
    reader = SpanReader(project_id)
    assert [span.span_id[-1] for span in reader.spans(trace_id)] == [5, 4, 3, 2, 1]
    assert [span.span_id[-1] for span in reader.spans(trace_id, limit=2)] == [5, 4]
    summary = reader.trace(trace_id)
    assert summary is not None
    assert summary.span_count == 5  # which is how a caller knows


def test_findings_are_shown_and_filtered_and_can_be_taken_back() -> None:
    project_id = uuid.uuid4()
    trace_id = settled(made.span(project_id, made.trace_id()))
    clean = settled(made.span(project_id, made.trace_id()))
    marks.mark(project_id, trace_id, name="finding", source_id="1", label="Lost tool")
    reader = SpanReader(project_id)
    found = {row.trace_id: row.findings for row in reader.traces(ALL).rows}
    assert found == {trace_id: ("Lost tool",), clean: ()}
    assert ids(reader.traces(TraceFilter(has_finding=True)).rows) == [trace_id]
    assert ids(reader.traces(TraceFilter(has_finding=False)).rows) == [clean]
    marks.unmark(project_id, trace_id, name="finding", source_id="1")
    assert not reader.traces(TraceFilter(has_finding=True)).rows


def test_evaluations_are_left_out_unless_asked_for() -> None:
    project_id = uuid.uuid4()
    settled(made.span(project_id, made.trace_id(), is_evaluation=True))
    made.stored(made.span(project_id, made.trace_id(), is_evaluation=True))
    reader = SpanReader(project_id)
    assert not reader.traces(ALL).rows
    assert reader.count(ALL) == 0
    assert len(reader.traces(TraceFilter(include_evaluations=True)).rows) == 2


def test_the_same_trace_id_in_another_project_is_another_trace() -> None:
    ours, theirs, trace_id = uuid.uuid4(), uuid.uuid4(), made.trace_id()
    made.stored(made.span(ours, trace_id, name="ours"))
    made.stored(made.span(theirs, trace_id, 1, name="theirs"), made.span(theirs, trace_id, 2, 1))
    marks.mark(theirs, trace_id, name="finding", source_id="1", label="Theirs")
    reader, stranger = SpanReader(ours), SpanReader(uuid.uuid4())
    for _ in ("running", "settled"):
        summary = reader.trace(trace_id)
        assert summary is not None
        assert (summary.name, summary.span_count) == ("ours", 1)
        assert [row.findings for row in reader.traces(ALL).rows] == [()]
        assert [span.name for span in reader.spans(trace_id)] == ["ours"]
        assert len(reader.outline(trace_id)) == 1
        assert reader.span(trace_id, made.span_id(2)) is None
        assert not reader.traces(TraceFilter(has_finding=True)).rows
        assert not stranger.traces(ALL).rows
        assert stranger.trace(trace_id) is None
        assert stranger.spans(trace_id) == []
        assert not stranger.has_spans()
        settle.settle_quiet()
    beginning = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
    assert len(reader.changed_since(beginning)) == len(reader.settled_since(beginning)) == 1
    assert not stranger.changed_since(beginning)
    assert not stranger.settled_since(beginning)


def test_every_cross_project_query_is_on_the_list() -> None:
    from traces.store import statements

    for name in system.QUERY_FILES:
        assert statements.text(name)
