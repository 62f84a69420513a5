"""Facets: the values that matching traces have, with counts."""

from __future__ import annotations

import uuid

import pytest

from tests.traces import made
from traces import settle
from traces.store.filters import TraceFilter
from traces.store.reader import SpanReader
from traces.store.reads.facets import FACETS

pytestmark = pytest.mark.usefixtures("store")


def shown(project_id: uuid.UUID, wanted: TraceFilter, limit: int = 10) -> dict[str, dict[str, int]]:
    found = SpanReader(project_id).facets(wanted, limit=limit)
    return {name: {one.value: one.traces for one in values} for name, values in found.items()}


def test_every_facet_counts_traces_not_spans() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    made.stored(
        made.span(
            project_id, trace_id, 1, name="run", kind="agent", agent_name="boss", session_id="s",
            user_id="u", environment="prod", release="1", service_name="api", tags=("beta",),
            metadata={"plan": "pro"}, status="error",
        ),
        made.span(project_id, trace_id, 2, 1, kind="llm", model="big"),
        made.span(project_id, trace_id, 3, 1, kind="llm", model="big"),
        made.span(project_id, trace_id, 4, 1, kind="tool", tool_name="search"),
    )  # fmt: skip
    made.stored(made.span(project_id, made.trace_id(), name="run", model="small", kind="llm"))
    settle.settle_quiet()
    found = shown(project_id, TraceFilter())
    assert set(found) == set(FACETS)
    assert found == {
        "status": {"error": 1, "ok": 1},
        "kind": {"agent": 1, "llm": 1},
        "model": {"big": 1, "small": 1},
        "agent": {"boss": 1},
        "tool": {"search": 1},
        "environment": {"prod": 1},
        "release": {"1": 1},
        "service": {"api": 1},
        "user": {"u": 1},
        "session": {"s": 1},
        "tag": {"beta": 1},
        "name": {"run": 2},
        "metadata": {"plan": 1},
    }
    assert shown(project_id, TraceFilter(status="error"))["model"] == {"big": 1}
    assert not any(shown(uuid.uuid4(), TraceFilter()).values())


def test_the_most_frequent_come_first_and_no_more_than_asked_for() -> None:
    project_id = uuid.uuid4()
    for user, times in (("a", 1), ("b", 3), ("c", 2)):
        for _ in range(times):
            made.stored(made.span(project_id, made.trace_id(), user_id=user))
    settle.settle_quiet()
    assert list(shown(project_id, TraceFilter(), limit=2)["user"].items()) == [("b", 3), ("c", 2)]


def test_a_facet_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no facet"):
        SpanReader(uuid.uuid4()).facets(TraceFilter(), of=("project_id",))
