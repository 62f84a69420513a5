"""A project's own prices: whom they mean, when they count, and that nobody else sees them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError

from accounts.models import Project, User
from tests.traces import made
from traces import pricing
from traces.models import PriceOverride
from traces.pricing import book, changes, overrides
from traces.pricing.changes import BadPrice
from traces.spans import Span, Usage

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def add(project: Project, pattern: str, input_: Any = 7, **fields: Any) -> PriceOverride:
    made_ = PriceOverride(pattern=pattern, input=Decimal(input_), output=Decimal(9), **fields)
    changes.add(project, made_, None)
    pricing.reload()
    return made_


def priced(
    project_id: UUID, model: str, *, provider: str = "", at: datetime = NOW, tokens: int = 1_000_000
) -> Span:
    span = made.span(project_id, made.trace_id(), kind="llm", model=model, provider=provider)
    span.start_ns = int(at.timestamp()) * made.SECOND
    span.usage = Usage(uncached_input=tokens)
    pricing.apply(span)
    return span


def test_a_price_of_the_project_counts_before_the_map(project: Project) -> None:
    assert priced(project.id, "gpt-4o").computed_cost_usd == Decimal("2.5")
    override = add(project, "gpt-4o")
    span = priced(project.id, "GPT-4o")
    assert (span.computed_cost_usd, span.price_version) == (7, f"override {override.id}")


def test_another_project_does_not_have_it(project: Project, other_project: Project) -> None:
    add(project, "gpt-4o")
    assert priced(other_project.id, "gpt-4o").computed_cost_usd == Decimal("2.5")
    assert priced(uuid4(), "gpt-4o").computed_cost_usd == Decimal("2.5")


@pytest.mark.parametrize(
    ("pattern", "model", "means"),
    [
        ("my-model*", "my-model-2", True),
        ("my-model*", "not-my-model", False),
        ("my-?odel", "my-model", True),
        ("my.model", "my-model", False),
        ("[my]", "m", False),
        ("[my]", "[my]", True),
        ("*" * 100 + "x", "y" * 200, False),
    ],
)
def test_a_pattern_means_the_names_it_matches(
    project: Project, pattern: str, model: str, means: bool
) -> None:
    add(project, pattern)
    assert (priced(project.id, model).computed_cost_usd is not None) is means


def test_the_price_that_says_most_counts(project: Project) -> None:
    add(project, "my-*", 1)
    add(project, "my-model*", 2)
    add(project, "my-model*", 3, provider="Acme")
    add(project, "my-model-2", 4)
    assert priced(project.id, "my-thing").computed_cost_usd == 1
    assert priced(project.id, "my-model-1").computed_cost_usd == 2
    assert priced(project.id, "my-model-1", provider="acme").computed_cost_usd == 3
    assert priced(project.id, "my-model-2", provider="acme").computed_cost_usd == 4


def test_a_price_counts_from_its_beginning_until_before_its_end(project: Project) -> None:
    add(project, "gpt-4o", valid_from=NOW, valid_until=NOW + DAY)
    add(project, "gpt-4o", 8, valid_from=NOW + DAY)
    costs = [
        priced(project.id, "gpt-4o", at=NOW + delta).computed_cost_usd
        for delta in (
            -timedelta(seconds=1),
            timedelta(0),
            DAY - timedelta(seconds=1),
            DAY,
            -DAY,
            9 * DAY,
        )
    ]
    assert costs == [Decimal("2.5"), 7, 7, 8, Decimal("2.5"), 8]


def test_rates_that_are_left_out_are_those_of_the_text(project: Project) -> None:
    add(project, "m", cache_read=Decimal("0.5"), per_request=Decimal("0.25"))
    span = priced(project.id, "m")
    assert span.computed_cost_usd == Decimal("7.25")
    span.usage = Usage(cache_read=1_000_000, cache_write_5m=1_000_000, reasoning=5, output=10)
    pricing.apply(span)
    assert span.computed_cost_usd == Decimal("0.25") + Decimal("7.5") + Decimal("0.00009")


def test_an_ended_price_counts_no_longer_and_a_deleted_one_never_did(project: Project) -> None:
    override = add(project, "gpt-4o", valid_from=NOW - DAY)
    changes.end(override, NOW, None)
    pricing.reload()
    assert priced(project.id, "gpt-4o", at=NOW).computed_cost_usd == Decimal("2.5")
    assert priced(project.id, "gpt-4o", at=NOW - DAY).computed_cost_usd == 7
    changes.delete(override, None)
    pricing.reload()
    assert priced(project.id, "gpt-4o", at=NOW - DAY).computed_cost_usd == Decimal("2.5")


def test_a_price_that_has_not_begun_is_deleted_not_ended(project: Project) -> None:
    override = add(project, "m", valid_from=NOW + DAY)
    with pytest.raises(BadPrice, match="has not begun"):
        changes.end(override, NOW, None)


@pytest.mark.parametrize("fields", [{"pattern": " "}, {"pattern": "a\nb"}])
def test_a_price_needs_a_name_that_can_be_a_models(
    project: Project, fields: dict[str, Any]
) -> None:
    with pytest.raises(BadPrice):
        changes.add(project, PriceOverride(input=1, output=1, **fields), None)


def test_the_database_refuses_negative_prices(project: Project) -> None:
    with pytest.raises(IntegrityError):
        PriceOverride.objects.create(project=project, pattern="m", input=1, output=1, reasoning=-1)


def test_a_project_has_so_many_prices_and_no_more(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_OVERRIDES", 1)
    add(project, "one")
    with pytest.raises(BadPrice, match="at most 1"):
        add(project, "two")


def test_each_change_is_one_log_line_with_who_made_it(
    project: Project, ada: User, caplog: pytest.LogCaptureFixture
) -> None:
    override = PriceOverride(pattern="m", input=1, output=1)
    with caplog.at_level(logging.INFO, logger="traces.pricing.changes"):
        changes.add(project, override, ada)
        changes.end(override, NOW, ada)
        changes.delete(override, ada)
        changes.set_rule(project, "computed", by=ada)
    said = [record.getMessage() for record in caplog.records]
    assert [line.partition(" ")[0] for line in said] == [
        "prices.override_added",
        "prices.override_ended",
        "prices.override_deleted",
        "prices.rule_set",
    ]
    assert all(f"by={ada.pk}" in line and str(project.id) in line for line in said)


def test_a_book_that_says_the_same_stays(project: Project) -> None:
    pricing.reload()
    first = book.current()
    pricing.reload()
    assert book.current() is first
    add(project, "m")
    assert book.current() is not first


def test_no_span_asks_the_database(project: Project, django_assert_num_queries: Any) -> None:
    add(project, "m")
    with django_assert_num_queries(0):
        for model in ("m", "gpt-4o", "unknown"):
            priced(project.id, model)


def test_the_newer_of_two_equals_counts() -> None:
    one, two = (
        overrides.Override(uuid4(), "m", "", pricing.find("gpt-4o"), 0, 2**63, made_ns)  # type: ignore[arg-type]
        for made_ns in (1, 2)
    )
    assert overrides.matching([one, two], "m", "")[0] is two
    assert overrides.matching([two, one], "m", "")[0] is two


def test_where_ours_counts_first_the_reported_cost_stands_in_for_what_has_none(
    project: Project,
) -> None:
    def cost(model: str) -> Decimal | None:
        span = priced(project.id, model)
        span.reported_cost_usd = Decimal(9)
        return span.cost_usd

    assert (cost("gpt-4o"), cost("our-model")) == (9, 9)
    changes.set_rule(project, "computed", None)
    pricing.reload()
    assert (cost("gpt-4o"), cost("our-model")) == (Decimal("2.5"), 9)
    changes.set_rule(project, "reported", None)
    pricing.reload()
    assert cost("gpt-4o") == 9


def test_the_same_price_twice_is_refused_and_a_later_one_is_not(
    project: Project, other_project: Project
) -> None:
    first = add(project, "gpt-4o", valid_from=NOW)
    with pytest.raises(BadPrice, match="already"):
        add(project, "gpt-4o", 8, valid_from=NOW)
    add(project, "gpt-4o", 8, valid_from=NOW + DAY)
    add(project, "gpt-4o", 8, provider="azure", valid_from=NOW)
    add(other_project, "gpt-4o", 8, valid_from=NOW)
    changes.end(first, NOW + DAY, None)
    add(project, "gpt-4o", 8, valid_from=NOW)
