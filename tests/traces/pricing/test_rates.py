"""What tokens and units make of a price: buckets stay disjoint, and nothing unknown is free."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces.pricing import rates
from traces.pricing.price_map import BadPriceMap, PriceMap
from traces.pricing.rates import STANDARD, Price
from traces.spans import Usage

MILLIONTH = 1e-6


def price(**entry: Any) -> Price:
    found = PriceMap(json.dumps({"m": entry}).encode(), "test").find("m")
    assert found is not None
    return found


def chat(**more: Any) -> Price:
    """$1 in, $2 out for a million tokens."""
    return price(input_cost_per_token=MILLIONTH, output_cost_per_token=2 * MILLIONTH, **more)


def millionths(cost: Decimal | None) -> float | None:
    return None if cost is None else float(cost * 1_000_000)


def test_a_service_tier_has_its_own_rates_and_else_the_standard_ones() -> None:
    found = chat(
        cache_read_input_token_cost=0.5 * MILLIONTH,
        input_cost_per_token_batches=0.25 * MILLIONTH,
        input_cost_per_token_priority=3 * MILLIONTH,
        output_cost_per_token_priority=6 * MILLIONTH,
    )
    usage = Usage(uncached_input=10, cache_read=10, output=10)
    assert millionths(rates.cost(found, usage)) == 10 + 5 + 20
    assert millionths(rates.cost(found, usage, "batch")) == 2.5 + 5 + 20
    assert millionths(rates.cost(found, usage, "priority")) == 30 + 5 + 60
    assert found.tier(1, "flex")[0] == STANDARD


def test_a_size_tier_begins_above_its_limit_and_has_its_service_tiers() -> None:
    found = chat(
        input_cost_per_token_above_200k_tokens=2 * MILLIONTH,
        input_cost_per_token_priority=3 * MILLIONTH,
        output_cost_per_token_priority=3 * MILLIONTH,
        input_cost_per_token_above_200k_tokens_priority=7 * MILLIONTH,
    )
    limit = 200_000
    assert found.rates(limit).input == Decimal("0.000001")
    assert found.rates(limit + 1).input == Decimal("0.000002")
    assert found.rates(limit + 1).output == Decimal("0.000002")
    assert found.rates(limit + 1, "priority").input == Decimal("0.000007")
    assert found.rates(limit + 1, "priority").output == Decimal("0.000003")


def test_a_limit_counts_as_above_it_where_the_provider_bills_so() -> None:
    found = chat(litellm_provider="xai", input_cost_per_token_above_128k_tokens=2 * MILLIONTH)
    assert found.rates(127_999).input < found.rates(128_000).input


def test_ranges_price_all_tokens_of_a_request() -> None:
    ranges = [
        {"range": [0, 1000], "input_cost_per_token": MILLIONTH, "output_cost_per_token": MILLIONTH},
        {"range": [1000, 9000], "input_cost_per_token": 4 * MILLIONTH},
    ]
    found = price(tiered_pricing=ranges)
    assert millionths(rates.cost(found, Usage(uncached_input=1000))) == 1000
    assert millionths(rates.cost(found, Usage(uncached_input=1001))) == 4004


def test_reasoning_costs_its_own_rate_and_the_rest_of_the_output_its() -> None:
    found = chat(output_cost_per_reasoning_token=10 * MILLIONTH)
    usage = Usage(output=30, reasoning=20)
    assert millionths(rates.cost(found, usage)) == 20 * 10 + 10 * 2
    assert [(line.bucket, line.tokens) for line in rates.lines(found, usage)] == [
        ("output", 10),
        ("reasoning", 20),
    ]


def test_audio_and_images_are_taken_out_of_the_text_around_them() -> None:
    found = chat(
        input_cost_per_audio_token=10 * MILLIONTH,
        output_cost_per_audio_token=20 * MILLIONTH,
        input_cost_per_image_token=5 * MILLIONTH,
    )
    usage = Usage(
        uncached_input=100,
        output=50,
        other={"input_audio": 30.0, "input_image": 20.0, "output_audio": 10.0},
    )
    assert millionths(rates.cost(found, usage)) == 50 + 30 * 10 + 20 * 5 + 40 * 2 + 10 * 20


def test_audio_without_a_rate_of_its_own_costs_as_text() -> None:
    usage = Usage(uncached_input=100, other={"input_audio": 30.0})
    assert millionths(rates.cost(chat(), usage)) == 100


@pytest.mark.parametrize("count", [1e300, float("nan"), float("inf"), -5.0])
def test_counts_that_are_no_counts_make_no_money(count: float) -> None:
    found = chat(input_cost_per_audio_token=10 * MILLIONTH)
    usage = Usage(uncached_input=100, other={"input_audio": count})
    assert millionths(rates.cost(found, usage)) == 100


def test_a_search_costs_when_the_span_says_how_many() -> None:
    found = chat(search_context_cost_per_query={"search_context_size_medium": 0.01})
    usage = Usage(uncached_input=10)
    assert millionths(rates.cost(found, usage)) == 10
    assert millionths(rates.cost(found, usage, units={"search": 2})) == 10 + 20_000


def test_a_reranking_without_its_number_of_queries_is_unknown_not_free() -> None:
    found = price(input_cost_per_token=0, output_cost_per_token=0, input_cost_per_query=0.002)
    assert rates.cost(found, Usage(uncached_input=10)) is None
    assert rates.cost(found, None) is None
    assert rates.cost(found, None, units={"query": 3}) == Decimal("0.006")


def test_a_model_that_is_free_costs_nothing() -> None:
    found = price(input_cost_per_token=0, output_cost_per_token=0)
    assert rates.cost(found, Usage(uncached_input=10)) == 0


def test_seconds_count_only_where_no_tokens_were_billed() -> None:
    found = chat(input_cost_per_second=0.0001)
    assert rates.cost(found, None, units={"second": 60}) == Decimal("0.006")
    assert millionths(rates.cost(found, Usage(uncached_input=10), units={"second": 60})) == 10


@given(
    uncached=st.integers(0, 10**7),
    read=st.integers(0, 10**7),
    write=st.integers(0, 10**6),
    write_1h=st.integers(0, 10**6),
    output=st.integers(0, 10**6),
    reasoning=st.integers(0, 10**6),
    service=st.sampled_from(["", "batch", "priority", "nonsense"]),
    has_reasoning_rate=st.booleans(),
)
def test_lines_always_add_up_to_the_cost(
    uncached: int,
    read: int,
    write: int,
    write_1h: int,
    output: int,
    reasoning: int,
    service: str,
    has_reasoning_rate: bool,
) -> None:
    more = {"output_cost_per_reasoning_token": 3.3e-6} if has_reasoning_rate else {}
    found = chat(
        cache_read_input_token_cost=1.25e-7,
        cache_creation_input_token_cost=1.25e-6,
        input_cost_per_token_above_200k_tokens=2.5e-6,
        input_cost_per_token_batches=7e-7,
        output_cost_per_token_priority=9e-6,
        **more,
    )
    usage = Usage(uncached, read, write, write_1h, output, reasoning)
    listed = rates.lines(found, usage, service)
    total = sum((line.cost_usd for line in listed), Decimal(0)).quantize(rates.NANO_DOLLAR)
    assert rates.cost(found, usage, service) == total
    assert sum(line.tokens for line in listed) == usage.total


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"<html>", b'{"m": ', b'{"m": {}} x', "ü".encode("latin-1")]
)
def test_what_is_no_object_is_no_price_map(content: bytes) -> None:
    with pytest.raises(BadPriceMap):
        PriceMap(content, "test")


@pytest.mark.parametrize(
    "entry",
    [None, [], "1", {}, {"input_cost_per_token": "1"}, {"input_cost_per_token": -1},
     {"input_cost_per_token": True}, {"tiered_pricing": [None]}, {"tiered_pricing": {}}],
)  # fmt: skip
def test_an_entry_without_a_price_gives_none(entry: Any) -> None:
    assert PriceMap(json.dumps({"m": entry}).encode(), "test").find("m") is None
