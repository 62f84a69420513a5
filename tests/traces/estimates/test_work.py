"""Settled traces whose calls report nothing get tokens, a cost and a mark, once and for good."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Project, User
from tests.traces import made
from traces import pricing, settle
from traces.deletion import asking
from traces.estimates import work
from traces.pricing import changes
from traces.spans import Span, Usage
from traces.store import client
from traces.store.reader import SpanReader
from traces.store.rows import TraceSummary
from traces.store.system import SystemReader

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "spool"]),
    pytest.mark.usefixtures("store"),
]


@pytest.fixture(autouse=True)
def _nothing_of_others(store: object) -> None:
    """The store is shared with other tests, some of whose calls report nothing."""
    while estimate():
        pass


def estimate() -> int:
    return work.run(wait_seconds=0)


def waiting(project: Project) -> list[bytes]:
    found = SystemReader().to_estimate(
        lookback_seconds=600, wait_seconds=0, without=[], a_project=100, limit=10_000
    )
    return [one.trace_id for one in found if one.project_id == project.id]


def call(project: Project, trace_id: bytes, number: int = 2, **fields: Any) -> Span:
    filled = {
        "kind": "llm",
        "model": "gpt-4o",
        "input": "Why is the sky blue?",
        "output": "Because air scatters blue light.",
        **fields,
    }
    span = made.span(project.id, trace_id, number, 1 if number > 1 else 0, **filled)
    pricing.apply(span)
    return span


def stored(project: Project, *calls: Span) -> bytes:
    trace_id = calls[0].trace_id
    made.stored(made.span(project.id, trace_id, 1, kind="agent", input="go"), *calls)
    settle.settle_quiet()
    return trace_id


def read(project: Project, trace_id: bytes) -> tuple[TraceSummary, dict[int, Span]]:
    reader = SpanReader(project.id)
    summary = reader.trace(trace_id)
    assert summary is not None
    return summary, {span.span_id[-1]: span for span in reader.spans(trace_id)}


def test_a_silent_call_gets_tokens_and_a_cost_and_says_that_they_are_estimated(
    project: Project,
) -> None:
    trace_id = made.trace_id()
    reported = call(project, trace_id, 3, usage=Usage(uncached_input=100, output=10))
    stored(project, call(project, trace_id, 2), reported)
    before, _ = read(project, trace_id)
    assert (before.estimated_tokens, before.unreported_calls) == (0, 1)
    assert estimate() == 1
    after, spans = read(project, trace_id)
    silent = spans[2]
    assert silent.usage is not None
    assert silent.estimated_by == "o200k_base"
    assert silent.cost_usd
    assert silent.reported_cost_usd is None
    assert not spans[3].estimated_by
    assert after.usage is not None
    assert after.usage.total == 110 + silent.usage.total
    assert after.estimated_tokens == silent.usage.total
    assert after.unreported_calls == 0
    assert after.cost_usd == silent.cost_usd + (reported.cost_usd or Decimal(0))
    assert after.generation == before.generation  # nobody judges it again


def test_a_second_run_finds_nothing_to_do(project: Project) -> None:
    trace_id = stored(project, call(project, made.trace_id()))
    assert estimate() == 1
    first, _ = read(project, trace_id)
    assert estimate() == 0
    assert waiting(project) == []
    settle.settle_quiet()
    again, _ = read(project, trace_id)
    assert (again.usage, again.cost_usd) == (first.usage, first.cost_usd)


def test_a_trace_that_settled_just_now_is_left_to_what_may_still_come(project: Project) -> None:
    stored(project, call(project, made.trace_id()))
    assert work.run() == 0


def test_a_run_that_was_stopped_in_between_is_made_good(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace_id = stored(project, call(project, made.trace_id()))
    with monkeypatch.context() as stopped:
        stopped.setattr(work.EstimatedSpans, "settle_again", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            estimate()
    estimate()
    summary, spans = read(project, trace_id)
    assert spans[2].usage is not None
    assert summary.usage is not None
    assert summary.usage.total == summary.estimated_tokens == spans[2].usage.total


def test_a_late_report_of_the_agent_counts_instead(project: Project) -> None:
    trace_id = stored(project, call(project, made.trace_id()))
    estimate()
    usage = Usage(uncached_input=5, output=1)
    made.stored(made.span(project.id, trace_id, 1, kind="agent", input="go", usage=usage))
    settle.settle_quiet()
    summary, _ = read(project, trace_id)
    assert summary.usage == usage
    assert summary.estimated_tokens == 0


def test_a_call_that_is_sent_again_with_its_tokens_loses_the_estimate(project: Project) -> None:
    trace_id = stored(project, call(project, made.trace_id()))
    estimate()
    made.stored(call(project, trace_id, usage=Usage(uncached_input=5, output=1)))
    settle.settle_quiet()
    summary, spans = read(project, trace_id)
    assert not spans[2].estimated_by
    assert summary.usage == Usage(uncached_input=5, output=1)
    assert summary.estimated_tokens == 0


def test_a_project_may_have_none_and_another_keeps_its_own(
    project: Project, other_project: Project, ada: User
) -> None:
    mine = stored(project, call(project, made.trace_id()))
    theirs = stored(other_project, call(other_project, made.trace_id()))
    changes.set_rule(project, "reported", ada, estimates_tokens=False)
    assert estimate() == 1
    assert read(project, mine)[0].usage is None
    assert read(other_project, theirs)[0].estimated_tokens > 0


def test_of_a_deleted_trace_nothing_is_written_again(project: Project, ada: User) -> None:
    trace_id = stored(project, call(project, made.trace_id()))
    assert waiting(project) == [trace_id]
    asking.traces(project, [trace_id], by=ada, by_name="Ada", now=timezone.now())
    sql = "SELECT max(version) AS newest FROM spans WHERE trace_id = unhex({trace:String})"
    before = client.query(sql, {"trace": trace_id.hex()})
    work.run(wait_seconds=0)
    assert client.query(sql, {"trace": trace_id.hex()}) == before


def test_shares_by_model_follow(project: Project) -> None:
    trace_id = stored(project, call(project, made.trace_id()))
    estimate()
    summary, _ = read(project, trace_id)
    assert summary.usage is not None
    [share] = summary.usage_shares
    assert share.model == "gpt-4o"
    assert share.input_tokens + share.output_tokens == summary.usage.total
