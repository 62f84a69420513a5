"""The scripted model over HTTP, seen through the real openai client."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from sdk.demo import scripts
from sdk.demo.model_server import ModelServer
from sdk.demo.scripting import Call, Reply, Rule, Script

TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
        },
    }
]
RULES = [
    Rule(Reply("It is 3 degrees in Oslo."), user="weather", result='"degrees": 3'),
    Rule(Reply(calls=(Call("weather", {"place": "Oslo"}),)), user="weather", tool="weather"),
    Rule(Reply("I have no tool for that."), user="weather"),
    Rule(Reply(calls=(Call("weather", '{"place": '),)), user="broken arguments"),
    Rule(Reply(refusal="I can't help with that."), user="forbidden"),
    Rule(Reply(status=429, error="slow down", retry_after_seconds=0.01), user="busy", times=2),
    Rule(Reply("Here I am."), user="busy"),
    Rule(lambda request: Reply(str(1 / len(request.results))), user="script bug"),
    Rule(Reply(status=500, error="it broke"), user="outage"),
    Rule(Reply(body=b"<html>gateway</html>"), user="garbage"),
    Rule(Reply("This sentence is never finished by the stream.", cut=True), user="cut"),
    Rule(Reply("one two three four five six seven eight nine", seconds=0.4), user="slowly"),
    Rule(Reply("Counted.", usage=(1000, 7)), user="usage"),
    Rule(Reply("From the system."), system="be terse", model="^big"),
]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(Script(RULES, models=("small", "big")), api_key="right") as server:
        yield server


@pytest.fixture
def client(server: ModelServer) -> OpenAI:
    return _client(server.url, "right")


def _client(url: str, key: str, retries: int = 0) -> OpenAI:
    http = httpx.Client(trust_env=False)
    return OpenAI(base_url=url, api_key=key, max_retries=retries, timeout=10, http_client=http)


def _say(client: OpenAI, text: str, **more: Any) -> Any:
    messages: Any = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="small", messages=messages, **more)


def test_a_plain_answer_has_text_and_usage_counted_from_it(client: OpenAI) -> None:
    messages: Any = [
        {"role": "system", "content": "be terse"},
        {"role": "user", "content": "hello"},
    ]
    answer = client.chat.completions.create(model="big-one", messages=messages)
    assert answer.choices[0].message.content == "From the system."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "big-one"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == (4 + 2) + (4 + 2)
    assert answer.usage.completion_tokens == 4


def test_a_tool_call_and_the_answer_to_its_result(client: OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather?"}]
    first = client.chat.completions.create(model="small", messages=messages, tools=TOOLS)
    call = first.choices[0].message.tool_calls[0]
    assert first.choices[0].finish_reason == "tool_calls"
    assert (call.function.name, call.function.arguments) == ("weather", '{"place": "Oslo"}')
    messages += [
        first.choices[0].message,
        {"role": "tool", "tool_call_id": call.id, "content": '{"degrees": 3}'},
    ]
    second = client.chat.completions.create(model="small", messages=messages, tools=TOOLS)
    assert second.choices[0].message.content == "It is 3 degrees in Oslo."


def test_a_rule_for_a_tool_does_not_fit_a_request_without_it(client: OpenAI) -> None:
    assert _say(client, "weather?").choices[0].message.content == "I have no tool for that."


def test_the_same_request_gets_the_same_answer_to_the_byte(client: OpenAI) -> None:
    first, second = _say(client, "usage"), _say(client, "usage")
    assert first.model_dump_json() == second.model_dump_json()


def test_a_stream_adds_up_to_the_text_and_ends_with_usage(client: OpenAI) -> None:
    began = time.monotonic()
    chunks = list(_say(client, "slowly", stream=True, stream_options={"include_usage": True}))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "one two three four five six seven eight nine"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 11
    assert time.monotonic() - began >= 0.35


def test_a_streamed_tool_call_comes_in_pieces(client: OpenAI) -> None:
    chunks = list(_say(client, "weather", stream=True, tools=TOOLS))
    calls = [c.choices[0].delta.tool_calls[0] for c in chunks if c.choices[0].delta.tool_calls]
    assert calls[0].function.name == "weather"
    assert "".join(call.function.arguments for call in calls) == '{"place": "Oslo"}'
    assert len(calls) > 1


def test_the_pace_in_the_path_shortens_waiting(server: ModelServer) -> None:
    client = _client(server.url.replace("/v1", "/pace/0.01/v1"), "right")
    began = time.monotonic()
    _say(client, "slowly")
    assert time.monotonic() - began < 0.35


def test_a_stream_that_is_cut_raises_in_the_client(client: OpenAI) -> None:
    stream = _say(client, "cut", stream=True)
    with pytest.raises((openai.APIError, httpx.TransportError)):
        list(stream)


def test_a_refusal_is_in_its_own_field(client: OpenAI) -> None:
    message = _say(client, "forbidden").choices[0].message
    assert (message.content, message.refusal) == (None, "I can't help with that.")


def test_malformed_arguments_are_sent_as_they_are(client: OpenAI) -> None:
    call = _say(client, "broken arguments").choices[0].message.tool_calls[0]
    assert call.function.arguments == '{"place": '


def test_a_rate_limit_that_passes_is_retried_by_the_client(server: ModelServer) -> None:
    answer = _say(_client(server.url, "right", retries=3), "busy")
    assert answer.choices[0].message.content == "Here I am."
    assert len(server.requests) == 3


def test_a_rate_limit_says_how_long_to_wait(client: OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        _say(client, "busy")
    assert caught.value.response.headers["retry-after"] == "0.01"


def test_an_outage_is_a_server_error(client: OpenAI) -> None:
    with pytest.raises(openai.InternalServerError, match="it broke"):
        _say(client, "outage")


def test_a_script_that_fails_is_said_to_the_client(client: OpenAI) -> None:
    with pytest.raises(openai.InternalServerError, match="ZeroDivisionError"):
        _say(client, "script bug")


def test_a_broken_provider_answers_something_else_than_json(client: OpenAI) -> None:
    with pytest.raises((openai.APIError, ValueError)):
        _say(client, "garbage")


def test_what_no_rule_expects_is_said_with_the_question(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="unforeseen question"):
        _say(client, "an unforeseen question")


def test_a_wrong_key_is_refused(server: ModelServer) -> None:
    with pytest.raises(openai.AuthenticationError):
        _say(_client(server.url, "wrong"), "usage")


def test_models_are_listed(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["small", "big"]


def test_embeddings_of_texts_that_share_words_are_closer(client: OpenAI) -> None:
    texts = ["red winter jacket", "blue winter jacket", "annual tax report"]
    answer = client.embeddings.create(model="small", input=texts, dimensions=128)
    one, two, three = (item.embedding for item in answer.data)
    assert len(one) == 128
    assert _product(one, two) > _product(one, three)
    assert _product(one, one) == pytest.approx(1.0, abs=1e-5)


def test_a_body_that_is_no_json_is_refused(server: ModelServer) -> None:
    headers = {"Authorization": "Bearer right"}
    answer = httpx.post(
        f"{server.url}/chat/completions", content=b"{", headers=headers, trust_env=False
    )
    assert answer.status_code == 400


def test_the_command_serves_until_it_is_told_to_stop() -> None:
    command = [sys.executable, "-m", "sdk.demo.model_server", "--port", "0", "--script", "echo"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().rpartition(" on ")[2].strip()
        answer = _say(_client(url, "any"), "Hello there")
        assert answer.choices[0].message.content == "Hello there"
        process.terminate()
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.wait()


def test_every_script_that_ships_can_be_loaded() -> None:
    assert all(scripts.load(name).rules for name in scripts.NAMES)


def _product(one: list[float], two: list[float]) -> float:
    return sum(a * b for a, b in zip(one, two, strict=True))
