"""Texts and JSON made to fit a length."""

from __future__ import annotations

import json
from typing import Any

import pytest

from traces.cutting import values
from traces.otlp import json_values


def test_a_text_that_is_too_long_ends_in_its_full_length() -> None:
    found = values.fitted("x" * 10_485_760, 1_000)
    assert isinstance(found, str)
    assert found.endswith("… [cut: 10,485,760 characters in all]")
    assert len(found) == 1_000


def test_what_fits_is_left_alone() -> None:
    text = "x" * 1_000
    assert values.fitted(text, 1_000) is text


@pytest.mark.parametrize(
    "document",
    [
        [{"role": "user", "content": "x" * 50_000}, {"role": "assistant", "content": "short"}],
        [{"role": "user", "content": '\x01"\\' * 20_000}],
        [{"role": "user", "content": "ü😀" * 20_000}],
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "y" * 40_000}]}] * 3},
        [{"role": "user", "content": "many"} for _ in range(5_000)],
        {f"key {n}": n for n in range(5_000)},
        {"k" * 40_000: 1},
        [[[["deep" * 5_000]]]],
        list(range(50_000)),
        "quoted " * 10_000,
    ],
)
def test_json_stays_json_and_fits(document: Any) -> None:
    found = values.fitted_text(json.dumps(document, ensure_ascii=False), 4_000)
    assert len(found) <= 4_000
    assert type(json.loads(found)) is type(document)


def test_short_messages_stay_whole_beside_a_long_one_and_keep_their_places() -> None:
    sent = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "x" * 50_000},
        {"role": "user", "content": "And now?"},
    ]
    found = json.loads(values.fitted_text(json.dumps(sent), 2_000))
    assert [message["role"] for message in found] == ["system", "user", "user"]
    assert (found[0], found[2]) == (sent[0], sent[2])
    assert found[1]["content"].endswith("… [cut: 50,000 characters in all]")
    assert len(found[1]["content"]) > 1_500


def test_of_too_many_messages_the_first_and_the_last_stay() -> None:
    sent = [{"role": "user", "content": f"message {n}"} for n in range(10_000)]
    found = json.loads(values.fitted_text(json.dumps(sent), 4_000))
    assert found[0] == sent[0]
    assert found[-1] == sent[-1]


@pytest.mark.parametrize(
    "text", ['{"broken": ' + "x" * 9_000, "[" * 90_000, '{"a":1} and more ' * 900]
)
def test_what_only_looks_like_json_is_cut_as_text(text: str) -> None:
    found = values.fitted_text(text, 1_000)
    assert found.endswith(f"… [cut: {len(text):,} characters in all]")
    assert len(found) == 1_000


@pytest.mark.parametrize(
    "value",
    [b"x" * 90_000, ["x" * 90_000, b"y" * 90_000], {"a": {"b": "z" * 90_000}}, [1.5] * 90_000],
)
def test_structured_attributes_keep_their_type_and_can_be_read_back(value: Any) -> None:
    found = values.fitted(value, 3_000)
    assert type(found) is type(value)
    text = json_values.value_to_json(found)
    assert len(text) <= 3_100
    assert json_values.value_from_json(text) == found


@pytest.mark.parametrize(
    ("sizes", "budget", "expected"),
    [([10, 20, 30], 60, 60), ([10, 100, 100], 110, 50), ([100] * 4, 40, 10), ([], 5, 5)],
)
def test_the_longest_give_way_first(sizes: list[int], budget: int, expected: int) -> None:
    assert values.level(sizes, budget) == expected
