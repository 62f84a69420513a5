"""Prices: names as emitters write them, disjoint buckets, tiers, and none where none is known."""

from __future__ import annotations

import subprocess
import sys
import time
from uuid import uuid4

import pytest

from tests.traces import made
from traces import pricing
from traces.pricing import book, bundled
from traces.spans import Usage


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


def test_the_version_names_the_map() -> None:
    assert pricing.version() == bundled.version()


def test_a_name_longer_than_any_model_is_not_remembered() -> None:
    before = len(book.current()._quotes)
    assert pricing.find("gpt-4o" * 1000) is None
    assert len(book.current()._quotes) == before


def test_hostile_names_do_not_fill_the_memory() -> None:
    for number in range(book._MOST_REMEMBERED + 10):
        pricing.find(f"model-{number}")
    assert len(book.current()._quotes) <= book._MOST_REMEMBERED


def test_pricing_a_span_takes_microseconds() -> None:
    span = made.span(uuid4(), made.trace_id(), kind="llm", model="gpt-5", provider="openai")
    span.usage = Usage(uncached_input=1_000, cache_read=500, output=100, reasoning=50)
    span.attributes = {f"attribute.{n}": "x" for n in range(25)}
    pricing.apply(span)
    began = time.process_time()
    for _ in range(2_000):
        pricing.apply(span)
    # The aim is 3 µs; what is measured on a shared machine gets room.
    assert (time.process_time() - began) / 2_000 < 15e-6


def test_prices_do_not_import_litellm() -> None:
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'traceroot_site.settings';"
        "django.setup(); from traces import pricing; pricing.load();"
        "print('litellm' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
