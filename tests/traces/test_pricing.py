"""Prices: names as emitters write them, disjoint buckets, tiers, and none where none is known."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from uuid import uuid4

import pytest

from traces import pricing
from traces.spans import Span, Usage


@pytest.mark.parametrize(
    ("model", "provider", "priced_as"),
    [
        ("gpt-4o", "openai", "gpt-4o"),
        ("GPT-4o", "", "gpt-4o"),
        ("openai/gpt-4o", "", "gpt-4o"),
        ("gpt-4o-2024-08-06", "openai", "gpt-4o-2024-08-06"),
        ("gpt-4o-2031-01-01", "openai", "gpt-4o"),
        ("gpt-4o", "azure.ai.openai", "azure/gpt-4o"),
        ("claude-sonnet-4-5-20250929", "anthropic", "claude-sonnet-4-5-20250929"),
        ("claude-sonnet-4-5-latest", "anthropic", "claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4.5", "openrouter", "claude-sonnet-4-5"),
        (
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
            "aws.bedrock",
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
        ),
        (
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0",
            "aws.bedrock",
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
        ),
        ("models/gemini-2.5-pro", "gcp.gemini", "gemini/gemini-2.5-pro"),
    ],
)
def test_a_model_is_found_by_the_names_it_goes_by(
    model: str, provider: str, priced_as: str
) -> None:
    price = pricing.find(model, provider)
    assert price is not None
    assert price.model == priced_as


@pytest.mark.parametrize("model", ["", "our-own-model", "gpt", "x" * 10_000, "../../etc", "-", "/"])
def test_an_unknown_model_has_no_price(model: str) -> None:
    assert pricing.cost_usd(model, "openai", Usage(uncached_input=1_000)) is None


def test_each_bucket_costs_its_own_rate() -> None:
    price = pricing.find("claude-sonnet-4-5", "anthropic")
    assert price is not None
    base = price.base
    assert base.cache_read is not None
    assert base.cache_write_5m is not None
    assert base.cache_write_1h is not None
    assert base.cache_read < base.input < base.cache_write_5m < base.cache_write_1h < base.output
    usage = Usage(
        uncached_input=100,
        cache_read=50,
        cache_write_5m=20,
        cache_write_1h=10,
        output=30,
        reasoning=25,
    )
    expected = (
        100 * base.input
        + 50 * base.cache_read
        + 20 * base.cache_write_5m
        + 10 * base.cache_write_1h
        + 30 * base.output
    )
    assert pricing.cost_usd("claude-sonnet-4-5", "anthropic", usage) == expected


def test_long_inputs_cost_the_long_rate() -> None:
    short, long = Usage(uncached_input=200_000), Usage(uncached_input=100_000, cache_read=100_001)
    price = pricing.find("gemini-2.5-pro", "gcp.gemini")
    assert price is not None
    assert price.rates(short.input) == price.base
    assert price.rates(long.input).input == 2 * price.base.input


def test_the_explanation_adds_up_to_the_cost() -> None:
    usage = Usage(uncached_input=1_000, cache_read=500, output=100)
    span = Span(
        project_id=uuid4(),
        trace_id=bytes(16),
        span_id=bytes(8),
        parent_span_id=b"",
        name="chat",
        kind="llm",
        start_ns=0,
        end_ns=1,
        status="ok",
        version=1,
        received_ns=1,
        model="gpt-4o",
        provider="openai",
        usage=usage,
    )
    lines = pricing.explain(span)
    assert [line.bucket for line in lines] == ["uncached_input", "cache_read", "output"]
    assert lines[0].usd_per_million == Decimal("2.5")
    total = sum((line.cost_usd for line in lines), Decimal(0))
    assert total == pricing.cost_usd("gpt-4o", "openai", usage)


def test_the_version_names_the_map() -> None:
    assert pricing.version().startswith("litellm ")


def test_prices_do_not_import_litellm() -> None:
    code = "import sys; from traces import pricing; pricing.load(); print('litellm' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
