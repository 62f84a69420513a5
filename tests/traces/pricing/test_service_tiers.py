"""Where spans say in which service tier they were served, and what else they used."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.traces import made
from traces import pricing
from traces.pricing import service_tiers, units
from traces.spans import Span, Usage


def call(model: str, **attributes: Any) -> Span:
    span = made.span(
        uuid4(),
        made.trace_id(),
        kind="llm",
        model=model,
        provider="openai",
        usage=Usage(uncached_input=1_000_000),
        attributes={name.replace("__", "."): value for name, value in attributes.items()},
    )
    pricing.apply(span)
    return span


@pytest.mark.parametrize(
    ("attributes", "tier"),
    [
        ({}, ""),
        ({"openai.response.service_tier": "flex"}, "flex"),
        ({"gen_ai.openai.response.service_tier": "PRIORITY"}, "priority"),
        ({"gen_ai.openai.request.service_tier": "auto"}, ""),
        ({"gen_ai.openai.request.service_tier": "batch"}, "batch"),
        # What the response says counts before what was asked for.
        (
            {
                "gen_ai.openai.request.service_tier": "flex",
                "gen_ai.openai.response.service_tier": "default",
            },
            "",
        ),
        ({"service_tier": "flex"}, "flex"),
        ({"llm.invocation_parameters": '{"service_tier": "priority", "n": 1}'}, "priority"),
        ({"llm.invocation_parameters": '{"service_tier": '}, ""),
        ({"ai.response.providerMetadata": '{"openai": {"serviceTier": "flex"}}'}, "flex"),
        ({"response_data": {"usage": {"service_tier": "batch"}}}, "batch"),
        ({"service_tier": 7}, ""),
        ({"service_tier": "first class"}, ""),
    ],
)
def test_the_tier_is_read_where_emitters_write_it(attributes: dict[str, Any], tier: str) -> None:
    assert service_tiers.of(attributes) == tier


def test_a_flex_call_costs_the_flex_rate() -> None:
    assert call("gpt-5").computed_cost_usd == Decimal("1.25")
    assert call("gpt-5", service_tier="flex").computed_cost_usd == Decimal("0.625")
    assert call("gpt-5", service_tier="priority").computed_cost_usd == Decimal("2.5")


def test_an_embedding_batch_costs_the_batch_rate() -> None:
    assert call("text-embedding-3-small").computed_cost_usd == Decimal("0.02")
    assert call("text-embedding-3-small", service_tier="batch").computed_cost_usd == Decimal("0.01")


def test_seconds_of_audio_without_tokens_are_priced_when_they_are_said() -> None:
    span = made.span(uuid4(), made.trace_id(), kind="llm", model="whisper-1", provider="openai")
    pricing.apply(span)
    assert span.computed_cost_usd is None
    span.attributes = {"gen_ai.usage.audio_seconds": 60}
    pricing.apply(span)
    assert span.computed_cost_usd == Decimal("0.006")
    assert span.price_version == pricing.version()


@pytest.mark.parametrize("value", [-1, "many", float("nan"), float("inf"), True, 1e30, [1], None])
def test_numbers_that_are_none_are_not_counted(value: Any) -> None:
    attributes = {"gen_ai.usage.audio_seconds": value}
    assert units.of(attributes, ["second"], is_call=True) == {}


def test_a_model_call_is_one_request_and_another_span_is_none() -> None:
    assert units.of({}, ["request"], is_call=True) == {"request": 1}
    assert units.of({}, ["request"], is_call=False) == {}
    assert units.of({"gen_ai.usage.requests": 3}, ["request"], is_call=True) == {"request": 3}
