"""What a call's texts make: as chat messages are counted, and nothing of what is no text."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.traces import made
from traces.estimates import counting, tokenizer
from traces.otlp import deep_values
from traces.spans import Span, Usage

PROMPT = [
    {"role": "system", "content": "Answer in one sentence."},
    {"role": "user", "content": "Why is the sky blue?"},
]
ANSWER = "Because air scatters blue light more than red light."


def call(**fields: Any) -> Span:
    filled = {"kind": "llm", "model": "gpt-4o", "input": json.dumps(PROMPT), "output": ANSWER}
    return made.span(uuid.uuid4(), made.trace_id(), **{**filled, **fields})


def used(**fields: Any) -> Usage:
    found = counting.of(call(**fields))
    assert found is not None
    return found[0]


def tokens(*texts: str) -> int:
    return tokenizer.of_model("gpt-4o").count(texts)


def test_messages_are_counted_as_openai_counts_them() -> None:
    words = [text for one in PROMPT for text in (one["role"], one["content"])]
    assert used() == Usage(uncached_input=tokens(*words) + 2 * 3 + 3, output=tokens(ANSWER))


def test_the_encoding_is_said() -> None:
    found = counting.of(call(model="claude-sonnet-4-5"))
    assert found is not None
    assert found[1] == "cl100k_base"


def test_a_call_that_reported_something_is_left_alone() -> None:
    assert counting.of(call(usage=Usage(output=1))) is None
    assert counting.of(call(sources={"total_tokens": "llm.tokens"})) is None


def test_nothing_to_count_is_no_estimate() -> None:
    assert counting.of(call(input="", output="")) is None


@pytest.mark.parametrize(
    ("sent", "count"),
    [
        ("blue sky", 2),
        (json.dumps(["blue sky", "blue sky"]), 4),
        (json.dumps([5, 6, 7]), 3),
        (json.dumps([[5, 6], [7]]), 3),
    ],
)
def test_an_embedding_has_input_alone(sent: str, count: int) -> None:
    assert used(kind="embedding", input=sent, output="[0.1, 0.2]") == Usage(uncached_input=count)


def test_of_a_text_that_was_cut_the_whole_length_counts() -> None:
    words = "word " * 1_000
    plain = used(input="", output=words)
    cut = used(input="", output=words, truncated={"output": 50_000})
    assert cut.output == pytest.approx(10 * plain.output, rel=0.001)


@pytest.mark.parametrize(
    "sent",
    ["{", "[[[[", '[{"role": 5, "content": {"a": [1]}}]', "\ud800", "null", "[]", "\0" * 50],
)
def test_whatever_was_sent_is_counted_or_not_but_raises_nothing(sent: str) -> None:
    counting.of(call(input=sent, output=sent))
    counting.of(call(kind="embedding", input=sent))


def test_a_value_nested_too_deep_counts_as_what_is_left_of_it() -> None:
    said = [{"role": "user", "content": "How many words are there?"}]
    plain = call(input=json.dumps(said))
    said[0]["extra"] = deep_values.MARK
    sources = {"input": "gen_ai.input.messages"}
    deep = call(
        input=json.dumps(said, ensure_ascii=False),
        sources=sources,
        truncated={"attributes.gen_ai.input.messages": 90_000},
    )
    assert counting.of(deep) == counting.of(plain)
