"""Series: hours and days of a time zone, money where it was spent, each token once."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from tests.traces import made
from traces import settle
from traces.spans import Usage
from traces.store.errors import QueryTooLarge
from traces.store.filters import TraceFilter
from traces.store.reader import SpanReader
from traces.store.reads import series
from traces.store.reads.series import Point

pytestmark = pytest.mark.usefixtures("store")
ALL = TraceFilter()
NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


def at(moment: dt.datetime, took_ms: int = 1000) -> dict[str, Any]:
    start_ns = int(moment.timestamp()) * 10**9
    return {
        "start_ns": start_ns,
        "end_ns": start_ns + took_ms * 10**6,
        "received_ns": start_ns + 10**10,
        "version": start_ns,
    }


def test_hours_and_days_have_counts_failures_durations_and_money() -> None:
    project_id = uuid.uuid4()
    for minute, took_ms in ((1, 100), (20, 200), (59, 300)):
        moment = NOON + dt.timedelta(minutes=minute)
        made.stored(
            made.span(
                project_id, made.trace_id(), kind="llm", model="m", status="error" if minute == 1
                else "ok", usage=Usage(uncached_input=10, output=1),
                computed_cost_usd=Decimal("0.5"), **at(moment, took_ms),
            )
        )  # fmt: skip
    made.stored(made.span(project_id, made.trace_id(), **at(NOON + dt.timedelta(hours=1))))
    settle.settle_quiet()
    reader = SpanReader(project_id)
    first, second = reader.series(ALL, step="hour")
    assert (first.at, second.at) == (NOON, NOON + dt.timedelta(hours=1))
    figures = first.traces
    assert (figures.count, figures.errors, figures.error_rate) == (3, 1, pytest.approx(1 / 3))
    assert figures.p50_ns == 200 * 10**6
    assert figures.p95_ns == pytest.approx(290 * 10**6)
    assert (figures.input_tokens, figures.output_tokens, figures.tokens) == (30, 3, 33)
    assert figures.cost_usd == Decimal("1.5")
    assert second.traces.cost_usd is None
    (day,) = reader.series(ALL)
    assert (day.at, day.traces.count) == (NOON.replace(hour=0), 4)


def test_days_begin_at_midnight_of_the_zone() -> None:
    project_id = uuid.uuid4()
    for hour in (1, 22, 23):  # 22:00 UTC is midnight in Cairo in winter
        made.stored(
            made.span(
                project_id, made.trace_id(), **at(NOON.replace(hour=0) + dt.timedelta(hours=hour))
            )
        )
    settle.settle_quiet()
    found = SpanReader(project_id).series(ALL, zone="Africa/Cairo")
    assert [(point.at.astimezone(dt.UTC), point.traces.count) for point in found] == [
        (dt.datetime(2026, 2, 28, 22, tzinfo=dt.UTC), 1),
        (dt.datetime(2026, 3, 1, 22, tzinfo=dt.UTC), 2),
    ]


def by(found: list[Point]) -> dict[str, Point]:
    return {point.value: point for point in found}


def test_money_by_model_and_agent_is_of_their_calls_alone_and_no_wrapper_counts_twice() -> None:
    project_id, trace_id, now = uuid.uuid4(), made.trace_id(), timezone.now()
    usage = Usage(uncached_input=100, output=10)
    made.stored(
        made.span(
            project_id, trace_id, 1, kind="agent", agent_name="boss", model="big",
            usage=Usage(uncached_input=200, output=20), computed_cost_usd=Decimal(3),
            status="error", **at(now, 5000),
        ),
        made.span(
            project_id, trace_id, 2, 1, kind="llm", agent_name="boss", model="big", usage=usage,
            computed_cost_usd=Decimal(2), **at(now),
        ),
        made.span(
            project_id, trace_id, 3, 1, kind="llm", agent_name="aide", model="big", usage=usage,
            computed_cost_usd=Decimal(1), **at(now),
        ),
        made.span(
            project_id, trace_id, 4, 1, kind="llm", agent_name="aide", model="small",
            status="error", **at(now),
        ),
    )  # fmt: skip
    settle.settle_quiet()
    reader = SpanReader(project_id)
    (whole,) = reader.series(ALL)
    assert whole.traces.cost_usd == 3
    models, agents = by(reader.series(ALL, by="model")), by(reader.series(ALL, by="agent"))
    assert set(models) == {"big", "small"}
    big = models["big"]
    assert (big.calls, big.failed_calls, big.traces.cost_usd) == (2, 0, 3)
    assert (big.traces.count, big.traces.errors) == (1, 1)  # one trace, which failed
    assert (big.traces.input_tokens, big.traces.output_tokens) == (200, 20)
    assert big.traces.p50_ns == 5000 * 10**6
    assert (models["small"].calls, models["small"].failed_calls) == (1, 1)
    assert {name: point.traces.cost_usd for name, point in agents.items()} == {
        "boss": 2,
        "aide": 1,
    }
    assert agents["aide"].calls == 2


@pytest.mark.parametrize("column", ["environment", "release", "status"])
def test_by_what_a_trace_has_one_of(column: series.By) -> None:
    project_id = uuid.uuid4()
    for fields in (
        {"environment": "prod", "release": "1", "status": "ok"},
        {"environment": "prod", "release": "2", "status": "error"},
        {"environment": "test", "release": "2", "status": "error"},
    ):
        made.stored(made.span(project_id, made.trace_id(), **fields))
    settle.settle_quiet()
    counts = sorted(point.traces.count for point in SpanReader(project_id).series(ALL, by=column))
    assert counts == [1, 2]


def test_what_does_not_match_and_other_projects_are_left_out() -> None:
    ours, theirs = uuid.uuid4(), uuid.uuid4()
    for project_id in (ours, theirs):
        made.stored(made.span(project_id, made.trace_id(), name="a", model="m", kind="llm"))
        made.stored(made.span(project_id, made.trace_id(), name="b", is_evaluation=True))
    settle.settle_quiet()
    reader = SpanReader(ours)
    assert [point.traces.count for point in reader.series(ALL)] == [1]
    assert [point.traces.count for point in reader.series(ALL, by="model")] == [1]
    assert reader.series(TraceFilter(name="b")) == []


def test_too_many_points_are_refused_with_what_to_do() -> None:
    project_id, now = uuid.uuid4(), int(time.time())
    for release in range(4):
        made.stored(
            made.span(
                project_id,
                made.trace_id(),
                release=str(release),
                start_ns=now * 10**9,
                end_ns=now * 10**9,
            )
        )
    settle.settle_quiet()
    with pytest.raises(QueryTooLarge, match="days instead of hours"):
        SpanReader(project_id).series(ALL, by="release", limit=3)
