"""Searching the list: every word somewhere in the trace, wherever a reader would look for it."""

from __future__ import annotations

import datetime as dt
import re
import time
import uuid
from uuid import UUID

import pytest

from tests.traces import made
from traces import settle
from traces.spans import SpanEvent
from traces.store import client, marks, statements
from traces.store.filters import ERROR_TEXT_DAYS, TraceFilter
from traces.store.reader import SpanReader

pytestmark = pytest.mark.usefixtures("store")
DAY_NS = 86_400 * 10**9


def found(project_id: UUID, text: str, since: dt.datetime | None = None) -> list[bytes]:
    """Trace ids; the count agrees with them."""
    reader = SpanReader(project_id)
    wanted = TraceFilter(text=text, since=since)
    rows = reader.traces(wanted).rows
    assert reader.count(wanted) == len(rows)
    return [row.trace_id for row in rows]


def raised(kind: str, message: str) -> SpanEvent:
    return SpanEvent(1, "exception", {"exception.type": kind, "exception.message": message})


def failing(project_id: UUID) -> bytes:
    """A trace whose errors say everything once; another one says nothing of it."""
    trace_id = made.trace_id()
    made.stored(
        made.span(
            project_id, trace_id, 1, name="refunds", session_id="chat-77", user_id="mara@acme",
            input="Please refund order 7", output="I could not do that",
        ),
        made.span(
            project_id, trace_id, 2, 1, status="error", status_message="upstream gave up",
            error_type="FareError", error_message="fare_not_refundable",
            events=(
                raised("ConnectError", 'connection to "fares" refused: größer'),
                raised("FareError", "fare_not_refundable"),
                SpanEvent(2, "gen_ai.user.message", {"content": "zebra"}),
            ),
        ),
    )  # fmt: skip
    made.stored(made.span(project_id, made.trace_id(), name="another run", input="Hello"))
    marks.mark(project_id, trace_id, name="finding", source_id="1", label="Tool failure")
    return trace_id


SAID = [
    "REFUNDS", "chat-77", "mara", "gave up", "fareerror", "not_refundable", "connecterror",
    '"connection to" refused', "GRÖßER",
    "tool failure", '"Tool failure"', "refunds failure fares upstream mara",
]  # fmt: skip


@pytest.mark.parametrize("is_settled", [False, True], ids=["running", "settled"])
def test_every_word_is_looked_for_in_names_errors_findings_session_and_user(
    is_settled: bool,
) -> None:
    project_id = uuid.uuid4()
    trace_id = failing(project_id)
    if is_settled:
        settle.settle_quiet()
    for text in (*SAID, trace_id.hex(), trace_id.hex()[:8].upper()):
        assert found(project_id, text) == [trace_id], text
    for text in (
        "refunds absent",  # one of two words
        '"failure tool"',  # not in this order
        '"refunds Tool"',  # a phrase does not go from one field into another
        "zebra",  # an event, but no exception
        "exception.message",  # names of fields are not texts
        trace_id.hex()[:7],  # as short as this it would be a word of hexadecimal digits
        trace_id.hex()[1:],
    ):
        assert found(project_id, text) == [], text
    assert len(found(project_id, "")) == len(found(project_id, " ")) == 2


def test_a_settled_trace_is_found_by_the_start_of_its_input_and_output() -> None:
    project_id = uuid.uuid4()
    trace_id = failing(project_id)
    settle.settle_quiet()
    assert found(project_id, '"refund order" could fareerror') == [trace_id]


def test_a_finding_that_was_taken_back_and_those_of_others_are_not_found() -> None:
    ours, theirs, trace_id = uuid.uuid4(), uuid.uuid4(), made.trace_id()
    for project_id in (ours, theirs):
        made.stored(made.span(project_id, trace_id))
    marks.mark(theirs, trace_id, name="finding", source_id="1", label="Loop")
    made.stored(made.span(theirs, trace_id, 2, 1, status="error", error_message="quota"))
    settle.settle_quiet()
    assert found(ours, "loop") == found(ours, "quota") == []
    assert found(theirs, "loop quota") == [trace_id]
    marks.unmark(theirs, trace_id, name="finding", source_id="1")
    assert found(theirs, "loop") == []


def test_without_a_range_error_texts_of_the_newest_days_are_read_and_with_one_all_of_it() -> None:
    project_id, now = uuid.uuid4(), time.time_ns()

    def failed(days_ago: float) -> bytes:
        at = now - int(days_ago * DAY_NS)
        return made.stored(
            made.span(
                project_id, made.trace_id(), name=f"run {days_ago}", status="error",
                error_message="quota exceeded", start_ns=at, end_ns=at + 1, received_ns=at,
            )
        )  # fmt: skip

    new, old = failed(ERROR_TEXT_DAYS - 1), failed(ERROR_TEXT_DAYS + 2)
    settle.settle_quiet()
    assert found(project_id, "quota") == [new]
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=90)
    assert found(project_id, "quota", since) == [new, old]
    assert found(project_id, f'"run {ERROR_TEXT_DAYS + 2}"') == [old]  # names have no such bound
    until = dt.datetime.now(dt.UTC) - dt.timedelta(days=ERROR_TEXT_DAYS)
    rows = SpanReader(project_id).traces(TraceFilter(text="quota", until=until)).rows
    assert [row.trace_id for row in rows] == [old]  # the newest days of the range


def test_the_spans_are_read_by_partition_and_by_the_key_not_whole() -> None:
    """The engine's own plan: without a range, old partitions are left out."""
    project_id, now = uuid.uuid4(), time.time_ns()
    for week in range(0, 20, 2):
        at = now - week * 7 * DAY_NS
        made.stored(
            made.span(
                project_id, made.trace_id(), error_message="quota", start_ns=at, received_ns=at
            )
        )
    wanted = TraceFilter(text="quota")
    plan = client.query(
        f"EXPLAIN indexes = 1 {statements.text('said_of_traces')}",
        {"project_id": str(project_id), **wanted.parameters()},
    )
    spans = "\n".join(row["explain"] for row in plan).partition(".spans)")[2]
    chosen, of_all = re.findall(r"Parts: (\d+)/(\d+)", spans)[0]
    assert int(chosen) < int(of_all)
    assert "project_id" in spans
