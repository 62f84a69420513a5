"""Why a span costs what it costs, also when prices have changed or are gone."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Project
from tests.traces import made
from tests.traces.pricing.test_updates import newer
from traces import pricing
from traces.models import PriceOverride
from traces.pricing import changes, explanation, updates
from traces.pricing.explanation import Explanation
from traces.spans import Span, Usage

pytestmark = pytest.mark.django_db
USAGE = Usage(uncached_input=1_000, cache_read=500, output=100)


def call(project: Project, model: str = "gpt-4o", **fields: Any) -> Span:
    filled = {"kind": "llm", "provider": "openai", "usage": USAGE, **fields}
    span = made.span(project.id, made.trace_id(), model=model, **filled)
    pricing.apply(span)
    return span


def why(span: Span) -> Explanation:
    found = explanation.of(span)
    assert found is not None
    return found


def total(found: Explanation) -> Decimal:
    return sum((line.cost_usd for line in found.lines), Decimal(0))


def test_the_lines_add_up_to_the_computed_cost(project: Project) -> None:
    span = call(project)
    found = why(span)
    assert [line.bucket for line in found.lines] == ["uncached_input", "cache_read", "output"]
    assert found.lines[0].usd_per_million == Decimal("2.5")
    assert total(found) == span.computed_cost_usd == found.cost_usd
    assert (found.counted, found.priced_as, found.note) == ("computed", "gpt-4o", "")
    assert found.price_version == pricing.version()


def test_the_tier_is_named(project: Project) -> None:
    found = why(call(project, "gpt-5", attributes={"service_tier": "flex"}))
    assert found.tier == "flex"
    usage = Usage(uncached_input=300_000)
    found = why(call(project, "gemini-2.5-pro", provider="gcp.gemini", usage=usage))
    assert found.above_tokens == 200_000


def test_a_reported_cost_stands_beside_ours_with_its_attribute(project: Project) -> None:
    span = call(
        project,
        reported_cost_usd=Decimal("0.5"),
        sources={"reported_cost_usd": "gen_ai.usage.cost"},
    )
    found = why(span)
    assert (found.counted, found.cost_usd, found.reported_by) == (
        "reported",
        Decimal("0.5"),
        "gen_ai.usage.cost",
    )
    assert total(found) == found.computed_usd == span.computed_cost_usd


def test_a_price_of_the_project_is_named_and_explains_after_its_end(project: Project) -> None:
    override = PriceOverride(pattern="gpt-*", input=7, output=9)
    changes.add(project, override, None)
    pricing.reload()
    span = call(project)
    changes.end(override, datetime.now(UTC), None)
    pricing.reload()
    found = why(span)
    assert (found.override_id, found.priced_as) == (str(override.id), "gpt-*")
    assert total(found) == span.computed_cost_usd


def test_a_deleted_price_of_the_project_says_so(project: Project) -> None:
    override = PriceOverride(pattern="gpt-*", input=7, output=9)
    changes.add(project, override, None)
    pricing.reload()
    span = call(project)
    changes.delete(override, None)
    found = why(span)
    assert found.lines == ()
    assert "deleted" in found.note
    assert found.cost_usd == span.computed_cost_usd


def test_a_price_of_another_project_explains_nothing_here(
    project: Project, other_project: Project
) -> None:
    override = PriceOverride(pattern="gpt-*", input=7, output=9)
    changes.add(other_project, override, None)
    span = call(project)
    span.price_version = f"override {override.id}"
    assert why(span).lines == ()


@pytest.mark.parametrize("version", ["override x", "override ", "litellm 0.0.0", "'); DROP"])
def test_a_version_that_nobody_knows_is_said(project: Project, version: str) -> None:
    span = call(project)
    span.price_version = version
    assert why(span).note


def test_what_an_earlier_map_priced_is_explained_by_it(project: Project) -> None:
    span = call(project)
    updates.install(newer(), "test", datetime.now(UTC))
    assert pricing.find("gpt-4o").base.input == Decimal("0.000005")  # type: ignore[union-attr]
    found = why(span)
    assert total(found) == span.computed_cost_usd
    assert found.note == ""
    assert why(call(project)).price_version != found.price_version


def test_an_unknown_model_is_named(project: Project) -> None:
    found = why(call(project, "our-model", provider="acme"))
    assert found.is_unknown
    assert found.note == "No price is known for the model our-model of acme."
    found = why(call(project, ""))
    assert found.note.startswith("No model was named")


def test_what_is_billed_without_a_number_says_what_is_missing(project: Project) -> None:
    found = why(call(project, "rerank-v3.5", provider="cohere"))
    assert found.is_unknown
    assert "billed by query" in found.note


def test_a_span_without_usage_or_cost_has_nothing_to_explain(project: Project) -> None:
    assert explanation.of(call(project, usage=None)) is None


def test_many_spans_take_one_query(project: Project, django_assert_num_queries: Any) -> None:
    override = PriceOverride(pattern="gpt-*", input=7, output=9)
    changes.add(project, override, None)
    pricing.reload()
    spans = [call(project) for _ in range(20)]
    with django_assert_num_queries(1):
        assert all(explanation.of_all(spans))
