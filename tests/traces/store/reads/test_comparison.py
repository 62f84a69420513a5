"""Two ranges or two releases side by side."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest

from tests.traces import made
from traces import settle
from traces.spans import Usage
from traces.store.reader import SpanReader
from traces.store.reads.comparison import Compared, Slice

pytestmark = pytest.mark.usefixtures("store")
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
HOUR = dt.timedelta(hours=1)
LAST_HOUR = Slice(NOW - HOUR, NOW)
HOUR_BEFORE = Slice(NOW - 2 * HOUR, NOW - HOUR)


def call(project_id: uuid.UUID, ago: dt.timedelta, took_ms: int, **fields: Any) -> bytes:
    start_ns = int((NOW - ago).timestamp()) * 10**9
    trace_id = made.trace_id()
    return made.stored(
        made.span(
            project_id, trace_id, 1, kind="agent", start_ns=start_ns,
            end_ns=start_ns + took_ms * 10**6, release=fields.get("release", ""),
            status=fields.get("status", "ok"),
        ),
        made.span(
            project_id, trace_id, 2, 1, start_ns=start_ns, end_ns=start_ns + took_ms * 10**6,
            **{"kind": "llm", "model": "m", **fields},
        ),
    )  # fmt: skip


def by(found: list[Compared]) -> dict[str, Compared]:
    return {one.value: one for one in found}


def test_ranges_by_model_have_counts_errors_durations_tokens_and_money() -> None:
    project_id = uuid.uuid4()
    call(project_id, HOUR + HOUR / 2, 100, usage=Usage(output=5), computed_cost_usd=Decimal(1))
    call(project_id, HOUR / 2, 300, status="error")
    call(project_id, HOUR / 3, 500, usage=Usage(output=7), computed_cost_usd=Decimal(2))
    call(project_id, HOUR / 4, 500, model="new")
    settle.settle_quiet()
    reader = SpanReader(project_id)
    found = by(reader.compare(HOUR_BEFORE, LAST_HOUR, by="model"))
    before, after = found["m"].before, found["m"].after
    assert before is not None
    assert after is not None
    assert (before.count, before.errors, before.p50_ns) == (1, 0, 100 * 10**6)
    assert (before.output_tokens, before.cost_usd) == (5, 1)
    assert (after.count, after.errors, after.error_rate) == (2, 1, 0.5)
    assert (after.p50_ns, after.output_tokens, after.cost_usd) == (400 * 10**6, 7, 2)
    assert found["new"].before is None
    (whole,) = reader.compare(HOUR_BEFORE, LAST_HOUR)
    assert whole.after is not None
    assert (whole.after.count, whole.after.errors, whole.after.cost_usd) == (3, 1, 2)


def test_releases_of_the_same_time() -> None:
    project_id = uuid.uuid4()
    for release, took_ms in (("1", 100), ("2", 900)):
        call(project_id, HOUR / 2, took_ms, release=release)
    settle.settle_quiet()
    old, new = (Slice(NOW - HOUR, NOW, release=release) for release in ("1", "2"))
    for grouping in ("", "model"):
        (found,) = SpanReader(project_id).compare(old, new, by=grouping)  # type: ignore[arg-type]
        assert found.before is not None
        assert found.after is not None
        assert (found.before.p50_ns, found.after.p50_ns) == (100 * 10**6, 900 * 10**6)


def test_by_tool_and_agent() -> None:
    project_id = uuid.uuid4()
    call(project_id, HOUR / 2, 1, kind="tool", tool_name="search", agent_name="boss", model="")
    reader = SpanReader(project_id)
    assert [one.value for one in reader.compare(HOUR_BEFORE, LAST_HOUR, by="tool")] == ["search"]
    assert [one.value for one in reader.compare(HOUR_BEFORE, LAST_HOUR, by="agent")] == ["boss"]
    assert reader.compare(HOUR_BEFORE, LAST_HOUR, by="model") == []


def test_a_span_sent_twice_and_a_wrapper_of_usage_count_once() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    start_ns = int((NOW - HOUR / 2).timestamp()) * 10**9
    usage: dict[str, Any] = {"usage": Usage(output=5), "computed_cost_usd": Decimal(1)}
    for version in (1, 2):
        made.stored(
            made.span(
                project_id, trace_id, 1, kind="chain", model="m", start_ns=start_ns,
                end_ns=start_ns, version=version, **usage,
            ),
            made.span(
                project_id, trace_id, 2, 1, kind="llm", model="m", start_ns=start_ns,
                end_ns=start_ns, version=version, **usage,
            ),
        )  # fmt: skip
    settle.settle_quiet()
    (found,) = SpanReader(project_id).compare(HOUR_BEFORE, LAST_HOUR, by="model")
    assert found.after is not None
    assert (found.after.count, found.after.output_tokens, found.after.cost_usd) == (2, 5, 1)


def test_another_project_is_not_compared() -> None:
    call(uuid.uuid4(), HOUR / 2, 1)
    reader = SpanReader(uuid.uuid4())
    assert reader.compare(HOUR_BEFORE, LAST_HOUR, by="model") == []
    assert reader.compare(HOUR_BEFORE, LAST_HOUR) == []


def test_one_evaluation_span_keeps_its_whole_trace_out() -> None:
    project_id = uuid.uuid4()
    call(project_id, HOUR / 2, 300)
    made.stored(made.span(project_id, call(project_id, HOUR / 2, 300), 3, 1, is_evaluation=True))
    settle.settle_quiet()
    for include_evaluations, count in ((False, 1), (True, 2)):
        side = Slice(NOW - HOUR, NOW, include_evaluations=include_evaluations)
        after = by(SpanReader(project_id).compare(HOUR_BEFORE, side, by="model"))["m"].after
        assert after is not None
        assert after.count == count
