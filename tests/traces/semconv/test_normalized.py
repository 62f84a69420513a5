"""The fields that every product names alike: what an outsider reads of a span."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traces.semconv.raw_spans import read
from traces.api.shapes import jsonable
from traces.semconv import normalized, reads
from traces.semconv.registry import CONVENTIONS, ENTRIES
from traces.spans import Attributes, SpanEvent


def seen(attributes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return normalized.of(read(attributes, **fields))


def test_a_bare_span_has_only_what_every_span_has() -> None:
    assert normalized.of(read({})) == {
        "kind": "span",
        "name": "step",
        "status": "unset",
        "start_time": "1970-01-01T00:00:00.000001Z",
        "end_time": "1970-01-01T00:00:00.000002Z",
    }


@pytest.mark.parametrize(
    ("ns", "shown"),
    [
        (0, ""),
        (1_700_000_000_000_000_000, "2023-11-14T22:13:20Z"),
        (1_700_000_000_123_456_000, "2023-11-14T22:13:20.123456Z"),
        (1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456789Z"),
        (10**30, ""),
    ],
)
def test_times_are_as_exact_as_the_clock_was(ns: int, shown: str) -> None:
    assert normalized.moment(ns) == shown


def test_a_model_call_in_the_current_names() -> None:
    found = seen(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.request.temperature": "0.2",
            "gen_ai.request.max_tokens": 100,
            "gen_ai.request.stop_sequences": '["END"]',
            "gen_ai.usage.input_tokens": 30,
            "gen_ai.usage.cache_read.input_tokens": 20,
            "gen_ai.usage.output_tokens": 9,
            "gen_ai.usage.reasoning.output_tokens": 4,
            "gen_ai.usage.details.image_tokens": 3,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.system_instructions": '[{"type":"text","content":"Be kind."}]',
            "gen_ai.tool.definitions": '[{"name":"weather","parameters":{"type":"object"}}]',
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
            "gen_ai.output.messages": json.dumps(
                [
                    {
                        "role": "assistant",
                        "parts": [
                            {"type": "reasoning", "content": "Hm."},
                            {"type": "text", "content": "Looking."},
                            {"type": "tool_call", "id": "c", "name": "weather", "arguments": {}},
                        ],
                        "finish_reason": "tool_call",
                    }
                ]
            ),
            "gen_ai.conversation.id": "conv",
        },
        parent_span_id=bytes(range(2, 10)),
    )
    assert (found["kind"], found["operation"]) == ("llm", "chat")
    assert (found["provider"], found["system"]) == ("openai", "openai")
    assert found["request_model"] == "gpt-4o"
    assert found["model"] == found["response_model"] == "gpt-4o-2024-08-06"
    assert found["params"] == {"temperature": 0.2, "max_tokens": 100, "stop_sequences": ["END"]}
    assert (found["input_tokens"], found["uncached_input_tokens"]) == (30, 10)
    assert (found["cache_read_tokens"], found["cache_write_tokens"]) == (20, 0)
    assert (found["output_tokens"], found["reasoning_tokens"]) == (9, 4)
    assert found["total_tokens"] == 39
    assert found["usage"] == {"image_tokens": 3}
    assert found["finish_reasons"] == ["stop"]
    assert found["system_instructions"] == "Be kind."
    assert found["tool_definitions"] == [{"name": "weather", "parameters": {"type": "object"}}]
    assert found["input_messages"] == [{"role": "user", "content": "Hi"}]
    assert found["output_messages"] == [
        {
            "role": "assistant",
            "content": "Looking.",
            "reasoning": "Hm.",
            "tool_calls": [
                {
                    "id": "c",
                    "type": "function",
                    "function": {"name": "weather", "arguments": "{}"},
                }
            ],
            "finish_reason": "tool_call",
        }
    ]
    assert (found["session_id"], found["parent_span_id"]) == ("conv", "0203040506070809")
    assert len(found["prompt_hash"]) == 16


def test_content_that_came_as_blocks_stays_blocks() -> None:
    blocks = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://acme.test/a.png"}},
    ]
    found = seen(
        {
            "openinference.span.kind": "LLM",
            "input.value": json.dumps({"messages": [{"role": "user", "content": blocks}]}),
        }
    )
    assert found["input_messages"] == [{"role": "user", "content": blocks}]


def test_results_of_several_tools_are_messages_each() -> None:
    results = [
        {"type": "tool_result", "tool_use_id": "a", "content": "rain"},
        {"type": "tool_result", "tool_use_id": "b", "content": "sun"},
        {"type": "text", "text": "And now?"},
    ]
    found = seen(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": json.dumps([{"role": "user", "content": results}]),
        }
    )
    assert found["input_messages"] == [
        {"role": "tool", "content": "rain", "tool_call_id": "a"},
        {"role": "tool", "content": "sun", "tool_call_id": "b"},
        {"role": "user", "content": [{"type": "text", "text": "And now?"}]},
    ]


def test_text_of_a_model_call_is_a_message_but_of_a_step_is_not() -> None:
    text = {"input.value": "Hi", "output.value": "Hello"}
    call = seen({"openinference.span.kind": "LLM", **text})
    assert call["input_messages"] == [{"role": "user", "content": "Hi"}]
    assert call["output_messages"] == [{"role": "assistant", "content": "Hello"}]
    step = seen({"openinference.span.kind": "CHAIN", **text})
    assert "input_messages" not in step
    assert (step["input"], step["output"]) == ("Hi", "Hello")


def test_a_tool_shows_its_call() -> None:
    found = seen(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "weather",
            "gen_ai.tool.call.id": "c",
            "gen_ai.tool.call.arguments": '{"city":"Paris"}',
            "gen_ai.tool.call.result": "rain",
        }
    )
    assert (found["tool_name"], found["tool_call_id"]) == ("weather", "c")
    assert found["tool_arguments"] == found["input"] == '{"city":"Paris"}'
    assert found["tool_result"] == found["output"] == "rain"


@pytest.mark.parametrize(
    "attributes",
    [
        {
            "retrieval.documents.0.document.id": "d1",
            "retrieval.documents.0.document.content": "Rain.",
            "retrieval.documents.0.document.score": 0.5,
            "retrieval.documents.0.document.metadata": '{"page": 1}',
        },
        {
            "retrieval.documents": json.dumps(
                [
                    {
                        "document": {"id": "d1", "content": "Rain.", "metadata": {"page": 1}},
                        "score": 0.5,
                    }
                ]
            )
        },
        {
            "gen_ai.retrieval.documents": json.dumps(
                [{"id": "d1", "text": "Rain.", "score": 0.5, "metadata": {"page": 1}}]
            )
        },
    ],
    ids=["flat", "JSON", "generative AI names"],
)
def test_documents_have_one_shape(attributes: dict[str, Any]) -> None:
    assert seen(attributes)["retrieval_contexts"] == [
        {"document_id": "d1", "content": "Rain.", "score": 0.5, "metadata": {"page": 1}}
    ]


def test_documents_that_came_flat_are_the_output() -> None:
    span = read({"retrieval.documents.0.document.content": "Rain."})
    assert span.output == '[{"content":"Rain."}]'


def test_documents_of_a_vector_database_come_from_its_events() -> None:
    event = SpanEvent(1, "db.query.result", {"db.query.result.document": "Rain."})
    assert seen({}, events=[event])["retrieval_contexts"] == [{"content": "Rain."}]


@pytest.mark.parametrize(
    ("attributes", "status", "level"),
    [
        ({"logfire.level_num": 13}, 0, "warn"),
        ({"logfire.level_num": 9}, 2, "info"),
        ({}, 2, "ERROR"),
    ],
)
def test_levels(attributes: dict[str, Any], status: int, level: str) -> None:
    assert seen(attributes, status_code=status)["level"] == level


def test_people_are_found_in_attributes_and_metadata() -> None:
    metadata = '{"user_id": "u", "thread_id": "t", "customer_id": "acme"}'
    found = seen({"metadata": metadata, "user.email": "ada@acme.test"})
    assert (found["user_id"], found["session_id"]) == ("u", "t")
    assert (found["customer_id"], found["user_email"]) == ("acme", "ada@acme.test")


def test_parameters_have_their_usual_names() -> None:
    parameters = {"maxOutputTokens": 5, "topP": 1, "stop": "END", "tools": [], "model": "m"}
    found = seen(
        {
            "openinference.span.kind": "LLM",
            "llm.invocation_parameters": json.dumps(parameters),
            "gen_ai.request.top_p": 0.5,
        }
    )
    assert found["params"] == {"max_tokens": 5, "top_p": 0.5, "stop_sequences": ["END"]}


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.binary(max_size=4),
    st.text(max_size=8),
    st.sampled_from(
        ["[]", "{}", "[[", '{"messages": [{"type": []}]}', '[{"document": 1}]', '{"config": []}']
    ),
)
_KEYS = st.sampled_from(
    ["role", "content", "type", "parts", "text", "function", "arguments", "document", "id", "x"]
)
_HOSTILE = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=8,
)
_PLACES = [p for c in CONVENTIONS for places in c.reads.fields.values() for p in places]
_NAMES = st.sampled_from(
    sorted(
        {
            *ENTRIES,
            *(reads.split(place)[0] for place in _PLACES),
            *(f"{prefix}0.document" for c in CONVENTIONS for prefix in c.reads.flat_documents),
            "gen_ai.request.temperature",
            "gen_ai.usage.details.images",
        }
    )
)


@settings(max_examples=400, deadline=None)
@given(
    st.dictionaries(
        _NAMES, st.one_of(_HOSTILE, _HOSTILE.map(lambda v: json.dumps(v, default=str))), max_size=6
    ),
    st.sampled_from(["LLM", "TOOL", "AGENT", "RETRIEVER"]),
)
def test_no_content_makes_it_raise(attributes: Attributes, kind: str) -> None:
    event = SpanEvent(1, "db.query.result", attributes)
    span = read({**attributes, "openinference.span.kind": kind}, attributes, events=[event])
    json.dumps(jsonable(normalized.of(span)), allow_nan=False)
