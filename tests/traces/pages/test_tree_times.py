"""Times in the tree: by the clock of the spans, wherever their trace is listed."""

from __future__ import annotations

import time
import uuid

import pytest

from tests.traces import made
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
