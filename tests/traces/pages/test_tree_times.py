"""Times in the tree: by the clock of the spans, wherever their trace is listed."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import Any

import pytest

from tests.traces import made
from traces import settle
from traces.pages import trees
from traces.store.reader import SpanReader

pytestmark = pytest.mark.usefixtures("store")
AHEAD = "the sender's clock is ahead: the trace is listed by its arrival"


@pytest.mark.parametrize(("ahead_ns", "notes"), [(0, []), (10**18, [AHEAD])])
def test_the_tree_begins_with_its_first_span(ahead_ns: int, notes: list[str]) -> None:
    project_id, start = uuid.uuid4(), time.time_ns() - 10 * made.SECOND + ahead_ns
    of = made.trace_id()
    root = made.span(project_id, of, 1, start_ns=start, end_ns=start + 4 * made.SECOND)
    child_start = start + made.SECOND
    child = made.span(project_id, of, 2, 1, start_ns=child_start, end_ns=child_start + 5_000_000)
    made.stored(root, child)
    reader = SpanReader(project_id)
    summary, outline = reader.trace(of), reader.outline(of)
    assert summary is not None
    shown = [(row["start_ms"], row["duration_ms"]) for row in trees.rows(outline, summary)]
    assert shown == [(0.0, 4000.0), (1000.0, 5.0)]
    assert trees.notes(outline, summary) == notes


@pytest.mark.parametrize(
    ("sent", "note"),
    [
        ({"end_ns": 0, "status": "error"}, "1 span has no end"),
        ({"parent": 9}, "1 span names a parent that has not arrived"),
    ],
)
def test_a_note_says_what_a_span_lacks(sent: dict[str, Any], note: str) -> None:
    project_id, of = uuid.uuid4(), made.trace_id()
    made.stored(made.span(project_id, of, 1), made.span(project_id, of, 2, **{"parent": 1, **sent}))
    summary, outline = SpanReader(project_id).trace(of), SpanReader(project_id).outline(of)
    assert summary is not None
    assert trees.notes(outline, summary) == [note]


def test_notes_of_a_settled_trace_say_where_nothing_was_traced() -> None:
    project_id, of = uuid.uuid4(), made.trace_id()
    end = made.span(project_id, of, 1).end_ns
    times = ((60, 0), (60, 50), (30, 20))
    made.stored(
        *(
            made.span(
                project_id, of, number, min(number - 1, 1),
                start_ns=end - began * made.SECOND, end_ns=end - ended * made.SECOND,
            )
            for number, (began, ended) in enumerate(times, 1)
        )
    )  # fmt: skip
    settle.settle_quiet()
    summary, outline = SpanReader(project_id).trace(of), SpanReader(project_id).outline(of)
    assert summary is not None
    assert trees.notes(outline, summary) == [
        "nothing was traced for 40.0\u202fs of the run, in 2 stretches",
        "completeness 33 of 100",
    ]


@pytest.mark.parametrize(("generation", "running"), [(0, True), (1, False)])
def test_a_span_without_an_end_runs_until_its_trace_has_settled(
    generation: int, running: bool
) -> None:
    project_id, of = uuid.uuid4(), made.trace_id()
    made.stored(made.span(project_id, of, 1, end_ns=0), made.span(project_id, of, 2, end_ns=0))
    summary, outline = SpanReader(project_id).trace(of), SpanReader(project_id).outline(of)
    assert summary is not None
    summary = replace(summary, generation=generation)
    assert [row["running"] for row in trees.rows(outline, summary)] == [running, running]
    cut_off = ["2 spans have no end", "completeness 0 of 100"]
    assert trees.notes(outline, summary) == ([] if running else cut_off)
