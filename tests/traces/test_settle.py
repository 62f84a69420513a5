"""When a trace is quiet it is settled, once for what it holds, and no trace is forgotten."""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.cache import cache
from pytest_django import Settings

from tests.traces import made
from tests.traces.made import SECOND
from traces import settle
from traces.spans import Span, Usage
from traces.store import client, rows
from traces.store.filters import TraceFilter
from traces.store.reader import SpanReader
from traces.store.rows import TraceSummary
from traces.store.system import Patience, SystemReader
from traces.tasks import settle_all, settle_recent

pytestmark = pytest.mark.usefixtures("store")

AT_ONCE = Patience(quiet_seconds=0, silence_seconds=0, generations=100, last_wait_seconds=3600)


def summary(project_id: uuid.UUID, trace_id: bytes) -> TraceSummary:
    found = SpanReader(project_id).trace(trace_id)
    assert found is not None
    return found


def generations(project_id: uuid.UUID) -> list[int]:
    found = client.query(
        "SELECT generation FROM traces WHERE project_id = {p:UUID} ORDER BY generation",
        {"p": str(project_id)},
    )
    return [row["generation"] for row in found]


def test_a_trace_whose_root_has_ended_settles_after_the_quiet_time(
    settings: Settings,
) -> None:
    project_id = uuid.uuid4()
    trace_id = made.stored(made.span(project_id, made.trace_id()))
    settings.SETTLE_QUIET_SECONDS = 60
    settle.settle_quiet()
    assert summary(project_id, trace_id).status == "running"
    settings.SETTLE_QUIET_SECONDS = 0
    settle.settle_quiet()
    settled = summary(project_id, trace_id)
    assert (settled.status, settled.generation) == ("ok", 1)
    assert settled.settled_at is not None


def test_a_trace_without_its_root_waits_for_the_longer_silence(settings: Settings) -> None:
    project_id = uuid.uuid4()
    trace_id = made.stored(made.span(project_id, made.trace_id(), 2, 1))
    settings.SETTLE_SILENCE_SECONDS = 60
    settle.settle_quiet()
    assert summary(project_id, trace_id).generation == 0
    settings.SETTLE_SILENCE_SECONDS = 0
    settle.settle_quiet()
    settled = summary(project_id, trace_id)
    assert (settled.generation, settled.is_rootless, settled.orphan_spans) == (1, True, 1)


def test_settling_twice_changes_nothing() -> None:
    project_id = uuid.uuid4()
    made.stored(made.span(project_id, made.trace_id()))
    settle.settle_quiet()
    settle.settle_quiet()
    assert generations(project_id) == [1]


def test_late_spans_make_a_new_generation_that_replaces_the_row_although_the_hour_changed() -> None:
    project_id, now = uuid.uuid4(), time.time_ns()
    trace_id = made.stored(made.span(project_id, made.trace_id(), 1))
    settle.settle_quiet()
    late = made.span(project_id, trace_id, 2, 1, start_ns=now - 5 * 3600 * 10**9, status="error")
    made.stored(late)
    assert summary(project_id, trace_id).generation == 0
    settle.settle_quiet()
    assert generations(project_id)[-1] == 2  # the engine may have merged the first away already
    (row,) = SpanReader(project_id).traces(TraceFilter()).rows
    assert (row.generation, row.span_count, row.start_ns) == (2, 2, late.start_ns)


def test_a_crash_before_or_after_the_insert_is_harmless() -> None:
    project_id = uuid.uuid4()
    made.stored(made.span(project_id, made.trace_id()))
    reader = SystemReader()
    keys = reader.unsettled_keys(lookback_seconds=60, quiet_seconds=0, limit=1000)
    quiet = [one for one in reader.unsettled(keys, AT_ONCE) if one.project_id == project_id]
    assert len(quiet) == 1  # read, then killed
    settle.settle_quiet()
    assert reader.span_counts(quiet) == {(project_id, quiet[0].trace_id): 1}
    settle.settle_quiet()
    assert generations(project_id) == [1]


def test_a_short_look_back_misses_what_the_long_one_finds() -> None:
    project_id = uuid.uuid4()
    trace_id = made.stored(made.span(project_id, made.trace_id()))
    time.sleep(1.2)
    settle.settle_quiet(lookback_seconds=1)
    assert summary(project_id, trace_id).generation == 0
    settle.settle_quiet(lookback_seconds=settle.LONG_LOOKBACK_SECONDS)
    assert summary(project_id, trace_id).generation == 1


def test_many_traces_of_several_projects_settle_in_one_call() -> None:
    projects = [uuid.uuid4() for _ in range(3)]
    spans = [made.span(projects[n % 3], made.trace_id()) for n in range(450)]
    # 1 in 256 ids of the world ends in a zero byte.
    spans += [made.span(projects[0], made.trace_id()[:15] + b"\0") for _ in range(3)]
    made.stored(*spans)
    assert settle.settle_quiet() >= 453
    assert [len(generations(project)) for project in projects] == [153, 150, 150]


def test_traces_go_on_after_the_last_of_the_batch_before() -> None:
    made.stored(*(made.span(uuid.uuid4(), made.trace_id()) for _ in range(5)))
    reader, seen = SystemReader(), []
    last = None
    while True:
        batch = reader.unsettled_keys(lookback_seconds=3600, quiet_seconds=0, limit=2, after=last)
        seen += [(one.project_id, one.trace_id) for one in batch]
        if len(batch) < 2:
            break
        last = batch[-1]
    assert len(seen) == len(set(seen)) >= 5
    settle.settle_quiet()


def test_sums_that_fit_no_column_settle_all_the_same() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    made.stored(
        *(
            made.span(
                project_id,
                trace_id,
                n + 1,
                kind="llm",
                usage=Usage(output=2**60),
                reported_cost_usd=Decimal(10) ** 9,
            )
            for n in range(9)
        )
    )
    settle.settle_quiet()
    settled = summary(project_id, trace_id)
    assert settled.generation == 1
    assert settled.usage is not None
    assert settled.usage.output == 2**53
    assert settled.cost_usd == Decimal("999999999.999999999")


def test_the_row_says_what_the_running_view_said() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    root = made.span(
        project_id, trace_id, 1, kind="agent", agent_name="Support", input='{"question":"Why?"}',
        output="Because.", session_id="s", user_id="u", environment="prod", release="1.2",
        tags=("a", "b"), metadata={"plan": "pro"}, git_repo="r", git_ref="abc", service_name="web",
    )  # fmt: skip
    call = made.span(
        project_id, trace_id, 2, 1, kind="llm", model="gpt-4o", usage=Usage(5, 4, 3, 2, 1, 1),
        computed_cost_usd=Decimal("0.000123"),
    )  # fmt: skip
    made.stored(root, call)
    running = summary(project_id, trace_id)
    settle.settle_quiet()
    settled = summary(project_id, trace_id)
    for name in TraceSummary.__dataclass_fields__:
        if name not in {"status", "generation", "settled_at", "usage"}:
            assert getattr(settled, name) == getattr(running, name), name
    assert settled.usage == running.usage
    assert (settled.input_preview, settled.output_preview) == ("Why?", "Because.")


def test_the_tasks_settle() -> None:
    cache.clear()  # a settle that took long rests
    for task in (settle_recent, settle_all):
        project_id = uuid.uuid4()
        trace_id = made.stored(made.span(project_id, made.trace_id()))
        task()
        assert summary(project_id, trace_id).generation == 1


def stored_behind(span: Span, seconds: float) -> None:
    """As an INSERT writes it that began so long ago and is seen only now."""
    columns, names, types = rows.to_columns([span], [0])
    at = SystemReader().clock() - dt.timedelta(seconds=seconds)
    client.insert(
        "spans", [*columns, [at]], [*names, "stored_at"], [*types, "DateTime64(3, 'UTC')"]
    )


def test_a_row_that_shows_up_behind_the_clock_makes_a_new_generation() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    made.stored(made.span(project_id, trace_id))
    settle.settle_quiet()
    stored_behind(made.span(project_id, trace_id, 2, 1), 8)
    settle.settle_quiet(lookback_seconds=60)
    assert generations(project_id)[-1] == 2
    settled = summary(project_id, trace_id)
    assert (settled.generation, settled.span_count) == (2, 2)
    settle.settle_quiet(lookback_seconds=60)
    assert generations(project_id)[-1] == 2


def test_a_trace_that_never_ends_settles_anew_a_limited_number_of_times(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    settings.SETTLE_GENERATIONS = 2
    for number in range(1, 5):
        made.stored(made.span(project_id, trace_id, number, number - 1))
        settle.settle_quiet()
    assert generations(project_id)[-1] == 2
    shown = summary(project_id, trace_id)
    assert (shown.generation, shown.span_count) == (0, 4), "computed from its spans meanwhile"
    monkeypatch.setattr(settle, "LAST_WAIT_SECONDS", 0)
    settle.settle_quiet()
    settled = summary(project_id, trace_id)
    assert (settled.generation, settled.span_count) == (3, 4)


def test_a_span_that_was_sent_again_counts_once_and_as_it_was_sent_last() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    root = made.span(project_id, trace_id, output="first")
    moved = replace(root, output="last", start_ns=root.start_ns - 3600 * SECOND)
    made.stored(replace(moved, version=root.version + 1))
    made.stored(root)
    settle.settle_quiet()
    settled = summary(project_id, trace_id)
    assert (settled.span_count, settled.output_preview) == (1, "last")


LONG = json.dumps([{"role": "user", "content": "x" * 3000}, {"role": "user", "content": "Why?"}])


@pytest.mark.parametrize(
    ("root_says", "child_says", "shown"),
    [
        ("Why?", "no", "Why?"),
        (LONG, "no", "Why?"),
        ("", "Why?", "Why?"),
        ("", LONG.replace("x" * 3000, "x"), "Why?"),
        ("  ", "no", ""),
        ("Why " * 1000, "no", ("Why " * 1000)[:279] + "…"),
    ],
    ids=["short", "long JSON", "of a child", "JSON of a child", "blank", "long text"],
)
def test_the_preview_shows_what_was_asked_wherever_it_is_kept(
    root_says: str, child_says: str, shown: str
) -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    made.stored(
        made.span(project_id, trace_id, 1, input=root_says),
        made.span(project_id, trace_id, 2, 1, input=child_says),
    )
    settle.settle_quiet()
    assert summary(project_id, trace_id).input_preview == shown


def test_what_is_missing_and_what_is_machinery_is_on_the_row() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    made.stored(
        made.span(project_id, trace_id, 1),
        made.span(project_id, trace_id, 2, 1, attributes={"http.request.method": "GET"}),
        made.span(project_id, trace_id, 3, 9, attributes={"db.system": "sqlite"}),
        made.span(project_id, trace_id, 4, 1, attributes={"http.method": "GET"}, output="told"),
    )
    settle.settle_quiet()
    settled = summary(project_id, trace_id)
    assert (settled.completeness, settled.missing) == (75, {"orphans": 1, "parents": 1})
    assert settled.infrastructure_spans == 2
    (listed,) = SpanReader(project_id).traces(TraceFilter()).rows
    assert (listed.completeness, listed.infrastructure_spans) == (75, 2)


def test_the_same_id_in_two_projects_is_two_traces() -> None:
    one, other, trace_id = uuid.uuid4(), uuid.uuid4(), made.trace_id()
    made.stored(
        made.span(one, trace_id, 1, name="one"),
        made.span(other, trace_id, 1, name="other"),
        made.span(other, trace_id, 2, 1),
    )
    settle.settle_quiet()
    assert (summary(one, trace_id).name, summary(one, trace_id).span_count) == ("one", 1)
    assert (summary(other, trace_id).name, summary(other, trace_id).span_count) == ("other", 2)
