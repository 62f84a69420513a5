"""Lists by an attribute that any span of a trace has."""

from __future__ import annotations

import datetime as dt
import time
import uuid

import pytest

from tests.traces import made
from traces import settle
from traces.store.filters import Condition, TraceFilter
from traces.store.reader import SpanReader

pytestmark = pytest.mark.usefixtures("store")


def found(project_id: uuid.UUID, *conditions: Condition, **fields: dt.datetime) -> list[bytes]:
    wanted = TraceFilter(conditions=conditions, **fields)  # type: ignore[arg-type]
    reader = SpanReader(project_id)
    rows = reader.traces(wanted).rows
    assert reader.count(wanted) == len(rows)
    return [row.trace_id for row in rows]


def test_a_trace_is_found_by_the_attributes_of_any_of_its_spans() -> None:
    project_id, wanted = uuid.uuid4(), made.trace_id()
    made.stored(
        made.span(project_id, wanted, 1),
        made.span(
            project_id, wanted, 2, 1, attributes={"app.tenant": "Größe 7", "retries": 3, "x": "1"}
        ),
    )
    made.stored(made.span(project_id, made.trace_id(), attributes={"app.tenant": "8", "y": 3}))
    made.stored(made.span(uuid.uuid4(), made.trace_id(), attributes={"app.tenant": "Größe 7"}))
    settle.settle_quiet()
    for condition in (
        Condition("attribute", "eq", ("Größe 7",), key="app.tenant"),
        Condition("attribute", "in", ("9", "Größe 7"), key="app.tenant"),
        Condition("attribute", "contains", ("GRÖßE",), key="app.tenant"),
        Condition("attribute", "eq", number=3, key="retries"),
        Condition("attribute", "gte", number=2.5, key="retries"),
    ):
        assert found(project_id, condition) == [wanted], condition
    for condition in (
        Condition("attribute", "eq", ("Größe 7",), key="x"),
        Condition("attribute", "gt", number=3, key="retries"),
        Condition("attribute", "lt", number=1, key="absent"),  # what is not there is not 0
        Condition("attribute", "eq", ("",), key="absent"),  # nor is it empty
        Condition("attribute", "eq", ("'; DROP TABLE spans --",), key="'"),
    ):
        assert found(project_id, condition) == [], condition
    both = (
        Condition("attribute", "eq", ("1",), key="x"),
        Condition("attribute", "lte", number=3, key="retries"),
    )
    assert found(project_id, *both) == [wanted]


def test_spans_are_looked_for_within_the_range_of_the_list() -> None:
    project_id, day = uuid.uuid4(), 86_400
    at = time.time_ns() - 40 * day * 10**9
    old = made.stored(
        made.span(
            project_id, made.trace_id(), start_ns=at, received_ns=at, attributes={"app.tenant": "7"}
        )
    )
    settle.settle_quiet()
    condition = Condition("attribute", "eq", ("7",), key="app.tenant")
    now = dt.datetime.now(dt.UTC)
    assert found(project_id, condition, since=now - dt.timedelta(days=50)) == [old]
    assert found(project_id, condition, until=now - dt.timedelta(days=39)) == [old]
    assert found(project_id, condition, since=now - dt.timedelta(days=30)) == []
    assert found(project_id, condition) == []  # without a range the newest month is read
