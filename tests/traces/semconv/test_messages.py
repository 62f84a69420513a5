"""Messages of every shape that emitters send become one shape; what is no message stays text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traces.semconv.raw_spans import read
from traces.semconv import message_shapes, messages
from traces.semconv.messages import Message, Part

WEATHER = Part("tool_call", tool_call_id="c1", tool_name="weather", arguments='{"city":"Paris"}')
RAIN = Part("tool_result", tool_call_id="c1", result="rain")
EXPECTED = [
    Message("system", (Part("text", text="Be kind."),)),
    Message("user", (Part("text", text="Weather?"),)),
    Message("assistant", (Part("text", text="Looking."), WEATHER)),
    Message("tool", (RAIN,)),
]

CHAT = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
    {
        "role": "assistant",
        "content": "Looking.",
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "rain"},
]
PARTS = [
    {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Weather?"}]},
    {
        "role": "assistant",
        "parts": [
            {"type": "text", "content": "Looking."},
            {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}},
        ],
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "rain"}]},
]
ANTHROPIC = {
    "model": "claude",
    "system": "Be kind.",
    "messages": [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Looking."},
                {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Paris"}},
            ],
        },
        {
            "role": "tool",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "c1",
                    "content": [{"type": "text", "text": "rain"}],
                }
            ],
        },
    ],
}


def read_input(attributes: dict[str, Any]) -> list[Message]:
    return messages.of(read({"openinference.span.kind": "LLM", **attributes})).input


@pytest.mark.parametrize(
    "attributes",
    [
        {"input.value": json.dumps(CHAT)},
        {"input.value": json.dumps({"model": "gpt", "messages": CHAT})},
        {"gen_ai.input.messages": json.dumps(PARTS)},
        {"gen_ai.input.messages": PARTS},
        {
            "gen_ai.input.messages": json.dumps(PARTS[1:]),
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be kind."}]),
        },
        {"input.value": json.dumps(ANTHROPIC)},
        {"traceroot.llm.prompt": json.dumps(CHAT), "traceroot.span.input": '{"question": "?"}'},
    ],
)
def test_one_conversation_in_many_shapes(attributes: dict[str, Any]) -> None:
    assert read_input(attributes) == EXPECTED


def test_openinference_flat_messages() -> None:
    prefix = "llm.input_messages."
    call = f"{prefix}2.message.tool_calls.0.tool_call"
    attributes = {
        f"{prefix}0.message.role": "system",
        f"{prefix}0.message.content": "Be kind.",
        f"{prefix}1.message.role": "user",
        f"{prefix}1.message.contents.0.message_content.type": "text",
        f"{prefix}1.message.contents.0.message_content.text": "Weather?",
        f"{prefix}2.message.role": "assistant",
        f"{prefix}2.message.content": "Looking.",
        f"{call}.id": "c1",
        f"{call}.function.name": "weather",
        f"{call}.function.arguments": '{"city":"Paris"}',
        f"{prefix}3.message.role": "tool",
        f"{prefix}3.message.tool_call_id": "c1",
        f"{prefix}3.message.content": "rain",
    }
    assert read_input(attributes) == EXPECTED


def test_openllmetry_flat_messages() -> None:
    prefix = "gen_ai.prompt."
    attributes = {
        f"{prefix}0.role": "system",
        f"{prefix}0.content": "Be kind.",
        f"{prefix}1.role": "user",
        f"{prefix}1.content": "Weather?",
        f"{prefix}2.role": "assistant",
        f"{prefix}2.content": "Looking.",
        f"{prefix}2.tool_calls.0.id": "c1",
        f"{prefix}2.tool_calls.0.name": "weather",
        f"{prefix}2.tool_calls.0.arguments": '{"city":"Paris"}',
        f"{prefix}3.role": "tool",
        f"{prefix}3.tool_call_id": "c1",
        f"{prefix}3.content": "rain",
    }
    assert read_input(attributes) == EXPECTED


def test_ten_messages_keep_their_order() -> None:
    attributes = {f"gen_ai.prompt.{n}.content": str(n) for n in range(12)}
    assert [message.text for message in read_input(attributes)] == [str(n) for n in range(12)]


def test_a_chat_completion_is_an_answer() -> None:
    response = {"choices": [{"message": {"role": "assistant", "content": "Rain."}}]}
    span = read({"output.value": json.dumps(response)})
    assert messages.of(span).output == [Message("assistant", (Part("text", text="Rain."),))]


def test_a_responses_answer_keeps_reasoning_and_calls() -> None:
    response = {
        "model": "gpt",
        "output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
            {
                "type": "function_call",
                "call_id": "c1",
                "name": "weather",
                "arguments": '{"city":"Paris"}',
            },
        ],
    }
    found = messages.of(read({"output.value": json.dumps(response)})).output
    parts = [part for message in found for part in message.parts]
    assert [part.type for part in parts] == ["reasoning", "tool_call"]
    assert parts[1] == WEATHER


def test_pictures_are_media_not_text() -> None:
    content = [
        {"type": "image_url", "image_url": {"url": "https://acme.example/a.png"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
    ]
    (message,) = read_input({"input.value": json.dumps([{"role": "user", "content": content}])})
    assert [part.uri for part in message.parts] == [
        "https://acme.example/a.png",
        "data:image/png;base64,AAAA",
    ]
    assert message.parts[1].mime_type == "image/png"


def test_arguments_of_an_observed_function_are_one_message() -> None:
    text = '{"question": "Where?", "limit": 3}'
    found = read_input({"traceroot.span.input": text})
    assert found == [Message("user", (Part("text", text=text),))]


def test_a_tool_shows_its_arguments_and_result() -> None:
    span = read(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "weather",
            "gen_ai.tool.call.id": "c1",
            "gen_ai.tool.call.arguments": '{"city":"Paris"}',
            "gen_ai.tool.call.result": "rain",
        }
    )
    conversation = messages.of(span)
    assert conversation.input == [Message("assistant", (WEATHER,))]
    (result,) = conversation.output[0].parts
    assert (result.type, result.tool_name, result.result) == ("tool_result", "weather", "rain")


@pytest.mark.parametrize(
    "attributes",
    [
        {
            "llm.tools.0.tool.json_schema": json.dumps(
                {"type": "function", "function": {"name": "weather", "parameters": {"a": 1}}}
            )
        },
        {"gen_ai.tool.definitions": json.dumps([{"name": "weather", "parameters": {"a": 1}}])},
        {
            "llm.request.functions.0.name": "weather",
            "llm.request.functions.0.parameters": '{"a":1}',
        },
        {
            "llm.invocation_parameters": json.dumps(
                {"tools": [{"name": "weather", "input_schema": {"a": 1}}]}
            )
        },
    ],
)
def test_tool_definitions_of_all_shapes(attributes: dict[str, Any]) -> None:
    (tool,) = messages.of(read(attributes)).tool_definitions
    assert (tool.name, tool.parameters) == ("weather", '{"a":1}')


def test_messages_in_events_are_read() -> None:
    from traces.spans import SpanEvent

    events = [
        SpanEvent(1, "gen_ai.user.message", {"content": "Weather?"}),
        SpanEvent(2, "gen_ai.choice", {"message": '{"content": "Rain."}', "index": 0}),
    ]
    span = read({"gen_ai.operation.name": "chat"}, events=events)
    assert span.sources["input"] == "event:gen_ai.user.message"
    assert messages.of(span).input[0].text == "Weather?"
    assert messages.of(span).output[0].text == "Rain."


@pytest.mark.parametrize("text", ["plain", "{broken", "[1, 2]", '{"a": 1}', "[[[[", "null", "0"])
def test_what_is_no_message_stays_as_it_is(text: str) -> None:
    (message,) = read_input({"input.value": text})
    assert message.text == text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "role",
                    "content",
                    "parts",
                    "type",
                    "text",
                    "tool_calls",
                    "function",
                    "name",
                    "arguments",
                    "messages",
                    "choices",
                    "message",
                    "kwargs",
                    "id",
                    "image_url",
                    "source",
                    "functionCall",
                    "functionResponse",
                ]
            ),
            inner
            | st.sampled_from(["text", "tool_use", "tool_result", "image", "thinking", "user"]),
            max_size=5,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=500, deadline=None)
@given(_JSON)
def test_hostile_messages_never_raise(value: Any) -> None:
    message_shapes.messages(value, "user")
    message_shapes.parts(value)
    span = read({"input.value": json.dumps(value), "gen_ai.tool.definitions": json.dumps(value)})
    for message in messages.of(span).input:
        assert isinstance(message.role, str)
        assert all(isinstance(part.text, str) for part in message.parts)


@pytest.mark.parametrize(
    ("content", "shown"), [('"cut \\ud83d"', "cut \ufffd"), ("NaN", "NaN"), ('"\\u0000"', "\0")]
)
def test_json_that_is_almost_json_is_still_read(content: str, shown: str) -> None:
    (message,) = read_input({"input.value": f'[{{"role": "user", "content": [{content}]}}]'})
    assert message.text in (shown, f'"{shown}"')
