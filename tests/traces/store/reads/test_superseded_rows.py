"""Older generations of settled rows: never shown, never counted, never in the way of a page."""

from __future__ import annotations

import time
import uuid

import pytest

from tests.traces import made
from traces.store import client
from traces.store.filters import TraceFilter
from traces.store.reader import SpanReader

pytestmark = pytest.mark.usefixtures("store")


def settled_rows(project_id: uuid.UUID, generations: int, traces: int) -> list[bytes]:
    """Rows as settling writes them: each generation is named after itself and starts earlier."""
    ids = [made.trace_id() for _ in range(traces)]
    now = time.time_ns()
    hour = now // 10**9 // 3600 * 3600
    rows = [
        (str(project_id), trace_id, hour, generation, f"name {generation}", start_ns, start_ns + 1)
        for number, trace_id in enumerate(ids)
        for generation in range(1, generations + 1)
        for start_ns in [now - number * 10**6 - generation]
    ]
    names = ["project_id", "trace_id", "bucket_hour", "generation", "name", "start_ns", "end_ns"]
    types = ["UUID", "FixedString(16)", "DateTime('UTC')", "UInt32", "String", "UInt64", "UInt64"]
    for generation in range(1, generations + 1):  # in parts of their own, which are not merged
        part = [row for row in rows if row[3] == generation]
        client.insert("traces", [list(column) for column in zip(*part, strict=True)], names, types)
    return ids


@pytest.mark.parametrize("limit", [1, 7, 50])
def test_pages_are_full_and_show_the_newest_generation_once(limit: int) -> None:
    project_id = uuid.uuid4()
    ids = settled_rows(project_id, generations=9, traces=30)
    reader, shown, cursor = SpanReader(project_id), [], ""
    while True:
        page = reader.traces(TraceFilter(), limit=limit, cursor=cursor)
        shown += page.rows
        cursor = page.next_cursor
        if not cursor:
            break
        assert len(page.rows) == limit
    assert [row.trace_id for row in shown] == ids
    assert {row.generation for row in shown} == {9}
    assert reader.count(TraceFilter()) == 30


def test_what_only_an_older_generation_said_does_not_match() -> None:
    project_id = uuid.uuid4()
    settled_rows(project_id, generations=9, traces=30)
    reader = SpanReader(project_id)
    assert reader.traces(TraceFilter(name="name 3")).rows == []
    assert reader.count(TraceFilter(name="name 3")) == 0
    assert len(reader.traces(TraceFilter(name="name 9")).rows) == 30
    names = reader.facets(TraceFilter(), of=("name",))["name"]
    assert [(one.value, one.traces) for one in names] == [("name 9", 30)]
    assert sum(point.traces.count for point in reader.series(TraceFilter())) == 30
