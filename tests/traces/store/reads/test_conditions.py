"""Lists narrowed by what a trace or some span of it has, and by what none of them has."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from django.http import QueryDict

from tests.traces import made
from traces import settle
from traces.api import parameters
from traces.store import marks
from traces.store.reader import SpanReader

pytestmark = pytest.mark.usefixtures("store")


def found(project_id: uuid.UUID, **condition: Any) -> set[bytes]:
    """Through the parameter of the public API."""
    query = QueryDict(mutable=True)
    query["filters"] = json.dumps([condition])
    wanted = parameters.trace_filter(query)
    reader = SpanReader(project_id)
    rows = reader.traces(wanted).rows
    assert reader.count(wanted) == len(rows)
    return {row.trace_id for row in rows}


CASES: list[dict[str, Any]] = [
    {"field": "agent", "value": "boss"},
    {"field": "tool", "value": "search"},
    {"field": "tag", "value": "beta"},
    {"field": "kind", "value": "tool"},
    {"field": "service", "value": "api"},
    {"field": "status", "value": "error"},
    {"field": "model_name", "value": "big-1"},
    {"field": "finding", "value": "Tool failure"},
    {"field": "metadata", "key": "plan", "value": "pro"},
    {"field": "metadata", "key": "step", "value": "Grün 7"},  # of an inner span
    {"field": "attribute", "key": "app.tenant", "value": "seven"},
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("key", case["field"]))
def test_a_condition_takes_its_trace_and_its_negation_all_others(case: dict[str, Any]) -> None:
    project_id, wanted = uuid.uuid4(), made.trace_id()
    made.stored(
        made.span(
            project_id, wanted, 1, kind="agent", agent_name="boss", service_name="api",
            tags=("beta",), metadata={"plan": "pro"}, status="error", model="big-1",
        ),
        made.span(
            project_id, wanted, 2, 1, kind="tool", tool_name="search",
            metadata={"step": "Grün 7"}, attributes={"app.tenant": "seven"},
        ),
    )  # fmt: skip
    other = made.stored(made.span(project_id, made.trace_id(), kind="llm", model="small"))
    marks.mark(project_id, wanted, name="finding", source_id="1", label="Tool failure")
    settle.settle_quiet()
    value, part = case["value"], case["value"][1:-1].upper()
    assert found(project_id, **case, op="eq") == {wanted}
    assert found(project_id, **{**case, "value": ["x", value]}, op="in") == {wanted}
    assert found(project_id, **{**case, "value": part}, op="contains") == {wanted}
    assert found(project_id, **case, op="ne") == {other}
    assert found(project_id, **{**case, "value": ["x", value]}, op="not_in") == {other}
    assert found(project_id, **{**case, "value": part}, op="not_contains") == {other}
    assert found(project_id, **{**case, "value": "x"}, op="eq") == set()
    assert found(project_id, **{**case, "value": "x"}, op="ne") == {wanted, other}


def test_numbers_of_attributes_may_be_negative_and_negated() -> None:
    project_id = uuid.uuid4()
    wanted = made.stored(made.span(project_id, made.trace_id(), attributes={"balance": -2.5}))
    other = made.stored(made.span(project_id, made.trace_id(), attributes={"balance": 3}))
    settle.settle_quiet()
    of_balance = {"field": "attribute", "key": "balance"}
    assert found(project_id, **of_balance, op="lt", value=-1) == {wanted}
    assert found(project_id, **of_balance, op="eq", value=-2.5) == {wanted}
    assert found(project_id, **of_balance, op="ne", value=-2.5) == {other}
    assert found(project_id, field="errors", op="ne", value=0) == set()
    assert found(project_id, field="errors", op="eq", value=0) == {wanted, other}


def test_metadata_that_is_not_there_is_not_empty() -> None:
    project_id = uuid.uuid4()
    wanted = made.stored(made.span(project_id, made.trace_id(), metadata={"plan": ""}))
    made.stored(made.span(project_id, made.trace_id(), metadata={"x": "1"}))
    settle.settle_quiet()
    assert found(project_id, field="metadata", key="plan", op="eq", value="") == {wanted}


def test_that_no_span_has_something_is_known_from_old_spans_too() -> None:
    """Whoever deletes by such a filter would lose what it does not mean."""
    project_id, at = uuid.uuid4(), time.time_ns() - 40 * 86_400 * 10**9
    old: dict[str, Any] = {"start_ns": at, "end_ns": at + 10**9, "received_ns": at}
    wanted = made.trace_id()
    made.stored(
        made.span(project_id, wanted, **old),
        made.span(project_id, wanted, 2, 1, metadata={"step": "7"}, **old),
    )
    settle.settle_quiet()
    assert found(project_id, field="metadata", key="step", op="ne", value="7") == set()
    assert found(project_id, field="metadata", key="step", op="ne", value="8") == {wanted}
