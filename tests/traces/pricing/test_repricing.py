"""Stored spans priced again: right costs, right totals, nothing doubled, nothing made news."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Project
from tests.traces import arrived, made
from tests.traces.pricing.test_updates import newer
from traces import pricing, settle
from traces.ingest import ledger
from traces.ingest.breaker import Breaker
from traces.ingest.storing import Storing
from traces.models import PriceOverride
from traces.pricing import changes, repricing, updates
from traces.pricing.repricing import Result
from traces.spans import Span, Usage
from traces.store import client
from traces.store.reader import SpanReader
from traces.store.reads.priced import PricedSpans
from traces.store.rows import TraceSummary

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "spool"]),
    pytest.mark.usefixtures("store"),
]
MILLION = Usage(uncached_input=1_000_000)


def call(project: Project, model: str, trace_id: bytes, number: int = 1, **fields: Any) -> Span:
    filled = {"kind": "llm", "usage": MILLION, **fields}
    span = made.span(project.id, trace_id, number, 1 if number > 1 else 0, model=model, **filled)
    pricing.apply(span)
    return span


def settled(project: Project, trace_id: bytes) -> TraceSummary:
    found = SpanReader(project.id).trace(trace_id)
    assert found is not None
    assert found.generation
    return found


def reprice(project: Project, **options: Any) -> Result:
    now = datetime.now(UTC)
    return repricing.reprice(
        project.id, now - timedelta(days=1), now + timedelta(hours=1), **options
    )


@pytest.fixture
def trace_id(project: Project) -> bytes:
    """A settled trace: an agent, a call of a known model and one of an unknown model."""
    one = made.trace_id()
    rich: dict[str, Any] = {
        "input": "größe " * 500,
        "attributes": {"a": 1, "b": "x", "c": [1, None], "service_tier": "default"},
        "metadata": {"k": "v"},
        "tags": ("t",),
        "sources": {"model": "gen_ai.request.model"},
    }
    made.stored(
        made.span(project.id, one, 1, kind="agent"),
        call(project, "gpt-4o", one, 2),
        call(project, "our-model", one, 3, **rich),
    )
    settle.settle_quiet()
    return one


def add(project: Project, **fields: Any) -> PriceOverride:
    override = PriceOverride(**{"pattern": "our-model", "input": 3, "output": 4, **fields})
    return changes.add(project, override, None)


def test_a_new_price_reaches_stored_spans_and_their_trace(
    project: Project, trace_id: bytes
) -> None:
    before = settled(project, trace_id)
    assert (before.cost_usd, before.unpriced_spans) == (Decimal("2.5"), 1)
    override = add(project)
    result = reprice(project)
    assert (result.spans, result.changed, result.newly_priced, result.traces) == (2, 1, 1, 1)
    assert (result.before_usd, result.after_usd) == (Decimal("2.5"), Decimal("5.5"))
    after = settled(project, trace_id)
    assert (after.cost_usd, after.unpriced_spans) == (Decimal("5.5"), 0)
    assert after.generation == before.generation
    shares = {share.model: share.cost_usd for share in after.usage_shares}
    assert shares == {"gpt-4o": Decimal("2.5"), "our-model": 3}
    span = SpanReader(project.id).span(trace_id, made.span_id(3))
    assert span is not None
    assert span.price_version == f"override {override.id}"


def test_only_the_cost_of_a_span_changes(project: Project, trace_id: bytes) -> None:
    before = SpanReader(project.id).span(trace_id, made.span_id(3))
    add(project)
    reprice(project)
    after = SpanReader(project.id).span(trace_id, made.span_id(3))
    assert before is not None
    assert after is not None
    assert after.computed_cost_usd == 3
    after.computed_cost_usd, after.price_version = None, ""
    after.version -= 1
    assert after == before


def test_a_second_run_has_nothing_to_do(project: Project, trace_id: bytes) -> None:
    add(project)
    reprice(project)
    again = reprice(project)
    assert (again.changed, again.traces) == (0, 0)
    rows = client.query(
        "SELECT count() AS n FROM spans WHERE project_id = {p:UUID}", {"p": str(project.id)}
    )
    assert rows[0]["n"] <= 4


def test_a_dry_run_writes_nothing(project: Project, trace_id: bytes) -> None:
    add(project)
    result = reprice(project, dry_run=True)
    assert (result.changed, result.after_usd) == (1, Decimal("5.5"))
    assert settled(project, trace_id).cost_usd == Decimal("2.5")


def test_a_run_that_was_stopped_before_the_traces_is_made_good_by_the_next(
    project: Project, trace_id: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(project)
    with monkeypatch.context() as stopped:
        stopped.setattr(PricedSpans, "settle_again", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            reprice(project)
    assert settled(project, trace_id).cost_usd == Decimal("2.5")
    assert reprice(project).traces == 1
    assert settled(project, trace_id).cost_usd == Decimal("5.5")


def test_pages_leave_no_span_out(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repricing, "_PAGE", 3)
    monkeypatch.setattr(repricing, "_WRITTEN_AT_ONCE", 2)
    ids = [made.trace_id() for _ in range(5)]
    made.stored(*(call(project, "our-model", one, n) for one in ids for n in (1, 2)))
    settle.settle_quiet()
    add(project)
    assert reprice(project).changed == 10
    # Of two calls, one inside the other, one restates the other.
    assert [settled(project, one).cost_usd for one in ids] == [3] * 5


def test_no_trace_becomes_news(project: Project, trace_id: bytes) -> None:
    reader = SpanReader(project.id)
    cursor = datetime(2020, 1, 1, tzinfo=UTC)
    stored_before = reader.changed_since(cursor)
    add(project)
    reprice(project)
    assert reader.changed_since(cursor) == stored_before
    assert settle.settle_quiet() == 0


def test_the_ledger_still_adds_up(project: Project) -> None:
    one = made.trace_id()
    storing = Storing(Breaker(pause_seconds=60))
    arrival = arrived.arrival(project.id, call(project, "our-model", one))
    storing.store([arrival])
    storing.acknowledge([arrival])
    add(project)
    assert reprice(project).changed == 1
    found = ledger.balance(project.id, since_ns=0, until_ns=time.time_ns() + 10**9)
    assert found.is_good
    assert (found.distinct, found.resent, found.unacknowledged) == (1, 0, 0)


def test_prices_are_those_of_the_spans_time(project: Project) -> None:
    """An update raises gpt-4o from $2.50 to $5 and brings a model that nobody knew before."""
    now = datetime.now(UTC)
    updates.install(newer(), "test", now - timedelta(hours=2))
    pricing.reload()
    one = made.trace_id()
    early = int((now - timedelta(hours=3)).timestamp()) * made.SECOND
    late = int((now - timedelta(hours=1)).timestamp()) * made.SECOND
    spans = [
        call(project, model, one, number, start_ns=at, end_ns=at + 1)
        for number, (model, at) in enumerate(
            [("gpt-4o", early), ("gpt-4o", late), ("brand-new", early)], start=1
        )
    ]
    for span in spans:
        span.computed_cost_usd, span.price_version = Decimal(0), "wrong"
    made.stored(*spans)
    reprice(project)
    costs = [s.computed_cost_usd for s in sorted(stored(project, one), key=lambda s: s.span_id)]
    assert costs == [Decimal("2.5"), 5, 1]
    reprice(project, newest_map=True)
    costs = [s.computed_cost_usd for s in sorted(stored(project, one), key=lambda s: s.span_id)]
    assert costs == [5, 5, 1]


def stored(project: Project, trace_id: bytes) -> list[Span]:
    return SpanReader(project.id).spans(trace_id)


def test_the_tier_of_a_stored_span_is_read_again(project: Project) -> None:
    one = made.trace_id()
    tier = '{"service_tier": "flex"}'
    kept_as_input = {"input": tier, "sources": {"input": "request_data"}}
    plain = call(project, "gpt-5", one, 1, attributes={"service_tier": "flex"})
    held = call(project, "gpt-5", one, 2, attributes={"request_data": tier}, **kept_as_input)
    for span in (plain, held):
        assert span.computed_cost_usd == Decimal("0.625")
        span.computed_cost_usd = None
    made.stored(plain, held)
    reprice(project)
    assert [s.computed_cost_usd for s in stored(project, one)] == [Decimal("0.625")] * 2


def test_which_cost_counts_follows_the_rule(project: Project) -> None:
    one = made.trace_id()
    made.stored(call(project, "gpt-4o", one, reported_cost_usd=Decimal(9)))
    settle.settle_quiet()
    assert settled(project, one).cost_usd == 9
    changes.set_rule(project, "computed", by=None)
    assert reprice(project).changed == 1
    assert settled(project, one).cost_usd == Decimal("2.5")
    span = stored(project, one)[0]
    assert (span.cost_usd, span.reported_cost_usd) == (Decimal("2.5"), 9)
    outline = SpanReader(project.id).outline(one)
    assert outline[0].cost_usd == Decimal("2.5")


def test_other_projects_stay_as_they_are(
    project: Project, other_project: Project, trace_id: bytes
) -> None:
    theirs = made.stored(call(other_project, "our-model", made.trace_id()))
    add(other_project)
    reprice(project)
    assert stored(other_project, theirs)[0].computed_cost_usd is None


def test_the_command_says_what_it_did(project: Project, trace_id: bytes) -> None:
    add(project)
    out = StringIO()
    call_command("reprice", "--project", str(project.id), stdout=out)
    said = out.getvalue()
    assert "1 changed: 1 newly priced, 0 no longer priced, 0 of unknown price" in said
    assert "before $2.500000, after $5.500000 (+$3.000000)" in said
    assert "1 traces brought up to date" in said
    for wrong in (["--from", "yesterday"], ["--from", "2026-01-02", "--to", "2026-01-01"]):
        with pytest.raises(CommandError):
            call_command("reprice", *wrong, stdout=out)
