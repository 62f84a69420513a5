"""The AI SDK's counts by version and provider; its recordings are in `test_recorded`."""

from __future__ import annotations

import json

import pytest

from tests.traces.semconv.raw_spans import read
from traces.semconv import messages, normalized
from traces.spans import Attributes, Usage

ANTHROPIC: Attributes = {"ai.model.provider": "anthropic.messages", "ai.model.id": "claude"}
OPENAI: Attributes = {"ai.model.provider": "openai.chat", "ai.model.id": "gpt-4o"}
NOTE = json.dumps(
    {"anthropic": {"cacheReadInputTokens": 900, "cacheCreationInputTokens": 50, "usage": {}}}
)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param(
            {
                **ANTHROPIC,
                "ai.usage.promptTokens": 10,
                "ai.usage.completionTokens": 5,
                "ai.response.providerMetadata": NOTE,
            },
            Usage(10, cache_read=900, cache_write_5m=50, output=5),
            id="version 4, Anthropic: beside, and only in the provider's note",
        ),
        pytest.param(
            {
                **ANTHROPIC,
                "ai.usage.inputTokens": 10,
                "ai.usage.outputTokens": 5,
                "ai.usage.cachedInputTokens": 900,
                "ai.response.providerMetadata": NOTE,
            },
            Usage(10, cache_read=900, cache_write_5m=50, output=5),
            id="version 5, Anthropic: beside",
        ),
        pytest.param(
            {
                **ANTHROPIC,
                "ai.usage.inputTokens": 960,
                "ai.usage.outputTokens": 5,
                "ai.usage.inputTokenDetails.noCacheTokens": 10,
                "ai.usage.inputTokenDetails.cacheReadTokens": 900,
                "ai.usage.inputTokenDetails.cacheWriteTokens": 50,
            },
            Usage(10, cache_read=900, cache_write_5m=50, output=5),
            id="version 6, Anthropic: inside",
        ),
        pytest.param(
            {
                **OPENAI,
                "ai.usage.inputTokens": 960,
                "ai.usage.outputTokens": 50,
                "ai.usage.cachedInputTokens": 900,
                "ai.usage.reasoningTokens": 20,
            },
            Usage(60, cache_read=900, output=50, reasoning=20),
            id="version 5, OpenAI: inside",
        ),
        pytest.param(
            {
                "ai.model.provider": "acme",
                "ai.usage.inputTokens": 10,
                "ai.usage.outputTokens": 5,
                "ai.usage.cachedInputTokens": 90,
                "ai.usage.totalTokens": 105,
            },
            Usage(10, cache_read=90, output=5),
            id="any provider whose total adds the cached tokens: beside",
        ),
    ],
)
def test_cached_tokens_by_version_and_provider(attributes: Attributes, expected: Usage) -> None:
    span = read({"ai.operationId": "ai.generateText.doGenerate", **attributes})
    assert span.usage == expected


def test_a_gateways_cost_is_the_reported_one() -> None:
    note = json.dumps({"gateway": {"cost": "0.00012"}})
    span = read({**OPENAI, "ai.response.providerMetadata": note})
    assert str(span.reported_cost_usd) == "0.000120000"
    assert span.sources["reported_cost_usd"] == "ai.response.providerMetadata#gateway.cost"


def test_settings_are_parameters() -> None:
    span = read({"ai.settings.maxOutputTokens": 9, "ai.settings.topP": 0.5, **OPENAI})
    assert normalized.of(span)["params"] == {"max_tokens": 9, "top_p": 0.5}


def test_an_empty_answer_with_tool_calls_is_no_text_but_a_message() -> None:
    calls = '[{"toolCallId":"1","toolName":"look","input":{"a":1}}]'
    span = read({"ai.response.text": "", "ai.response.toolCalls": calls, **OPENAI})
    assert span.output == calls  # what lists and judges show
    assert normalized.of(span)["output"] == ""
    assert [part.type for part in messages.of(span).output[0].parts] == ["tool_call"]


def test_reasoning_is_told_apart() -> None:
    span = read({"ai.response.text": "4", "ai.response.reasoning": "2 and 2", **OPENAI})
    parts = messages.of(span).output[0].parts
    assert [(part.type, part.text) for part in parts] == [("reasoning", "2 and 2"), ("text", "4")]


def test_broken_json_where_json_is_due_costs_nothing_but_its_fields() -> None:
    span = read({"ai.response.providerMetadata": '{"anthropic":', **ANTHROPIC})
    assert (span.usage, span.reported_cost_usd) == (None, None)
