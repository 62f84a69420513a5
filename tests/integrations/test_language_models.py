"""The gateway to models: lazy, typed, and with tools, against OpenAI's protocol over HTTP."""

from __future__ import annotations

import subprocess
import sys

import pytest

from integrations import language_models
from integrations.language_models import (
    BadRequest,
    ContentRefused,
    ModelAddress,
    ProviderUnavailable,
    RateLimited,
    TimedOut,
)
from sdk.demo.model_server import ModelServer
from sdk.demo.scripting import Call, Reply, Rule, Script

TOOL = {
    "type": "function",
    "function": {"name": "add", "parameters": {"type": "object", "properties": {}}},
}
HELLO = [{"role": "user", "content": "hello"}]


def complete(
    reply: Reply,
    *,
    api_key: str = "",
    server_key: str = "",
    model: str = "small",
    **options: object,
) -> language_models.Completion:
    with ModelServer(Script([Rule(reply)]), api_key=server_key) as server:
        address = ModelAddress(model, server.url, api_key)
        return language_models.complete(
            HELLO,
            address=address,
            timeout_seconds=2,
            max_tokens=50,
            **options,  # type: ignore[arg-type]
        )


def test_litellm_is_not_imported_when_django_starts() -> None:
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'traceroot_site.settings';"
        "django.setup(); import traceroot_site.urls, detectors.tasks, detectors.judge;"
        "sys.exit('litellm' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_text_comes_back_with_usage_and_model() -> None:
    completion = complete(Reply(text="hi", usage=(11, 3)))
    assert completion.text == "hi"
    assert (completion.usage.input, completion.usage.output) == (11, 3)
    assert "small" in completion.model
    assert completion.cost_usd is None, "the price of an unknown model is unknown, not zero"


def test_a_known_model_has_a_cost() -> None:
    completion = complete(Reply(text="hi", usage=(1000, 1000)), model="gpt-4o-mini")
    assert completion.cost_usd is not None
    assert completion.cost_usd > 0


def test_tools_are_offered_and_their_calls_come_back() -> None:
    completion = complete(Reply(calls=(Call("add", {"a": 1}),)), tools=(TOOL,), tool_choice="add")
    [call] = completion.tool_calls
    assert (call.name, call.arguments) == ("add", '{"a": 1}')


def test_the_key_is_sent() -> None:
    assert complete(Reply(text="hi"), api_key="secret", server_key="secret").text == "hi"
    with pytest.raises(BadRequest, match="Incorrect API key"):
        complete(Reply(text="hi"), api_key="wrong", server_key="secret")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=429, error="slow"), RateLimited),
        (Reply(status=500, error="oops"), ProviderUnavailable),
        (Reply(status=502, error="oops"), ProviderUnavailable),
        (Reply(status=503, error="oops"), ProviderUnavailable),
        (Reply(status=400, error="bad"), BadRequest),
        (Reply(status=404, error="no such model"), BadRequest),
        (Reply(refusal="I will not."), ContentRefused),
        (Reply(text="late", seconds=6), TimedOut),
    ],
    ids=["429", "500", "502", "503", "400", "404", "refusal", "slow"],
)
def test_every_failure_has_its_type(reply: Reply, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        complete(reply)
    assert type(raised.value) is error


def test_a_failed_call_is_not_repeated_by_the_gateway() -> None:
    with ModelServer(Script([Rule(Reply(status=500, error="oops"))])) as server:
        with pytest.raises(ProviderUnavailable):
            language_models.complete(
                HELLO, address=ModelAddress("m", server.url), timeout_seconds=2, max_tokens=5
            )
        assert len(server.requests) == 1


def test_rate_limits_carry_the_providers_pause() -> None:
    with pytest.raises(RateLimited) as raised:
        complete(Reply(status=429, error="slow", retry_after_seconds=12))
    assert raised.value.retry_after_seconds == 12


def test_an_address_of_ones_own_speaks_openai_unless_the_model_names_a_provider() -> None:
    base = "http://localhost:1/v1"
    name = language_models.qualified_name
    assert name(ModelAddress("llama3", base)) == "openai/llama3"
    assert name(ModelAddress("Qwen/Qwen2.5-7B", base)) == "openai/Qwen/Qwen2.5-7B"
    assert name(ModelAddress("anthropic/claude-x", base)) == "anthropic/claude-x"
    assert name(ModelAddress("gpt-4o")) == "gpt-4o"


def test_the_key_is_not_shown_by_repr() -> None:
    assert "secret" not in repr(ModelAddress("m", "", "secret"))
