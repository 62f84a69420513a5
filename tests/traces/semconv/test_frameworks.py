"""Frameworks with names of their own: Pydantic AI, Logfire, Mastra, Google ADK, Laminar."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.traces.semconv.raw_spans import read
from traces.otlp import decoded
from traces.semconv import normalized
from traces.spans import Span

EVENTS = [
    {"event.name": "gen_ai.system.message", "content": "Be kind.", "role": "system"},
    {"event.name": "gen_ai.user.message", "content": "Weather?", "role": "user"},
]
CALL = {
    "role": "assistant",
    "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    ],
}
ASKED = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Weather?"},
]


def spoken(scope: str, attributes: dict[str, Any], **fields: Any) -> Span:
    return read(attributes, scope=decoded.scope(scope, "1", {}), **fields)


def test_pydantic_ai_version_1_keeps_a_call_in_one_list_of_events() -> None:
    choice = {"event.name": "gen_ai.choice", "index": 0, "message": CALL}
    span = spoken(
        "pydantic-ai",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "events": json.dumps([*EVENTS, choice]),
            "model_request_parameters": json.dumps(
                {"function_tools": [{"name": "weather", "parameters_json_schema": {}}]}
            ),
        },
        name="chat gpt-4o",
    )
    assert (span.convention, span.kind) == ("pydantic_ai", "llm")
    assert json.loads(span.output) == CALL
    found = normalized.of(span)
    assert found["input_messages"] == ASKED
    assert found["output_messages"] == [{"content": None, **CALL}]
    assert found["system_instructions"] == "Be kind."
    assert found["tool_definitions"][0]["name"] == "weather"


@pytest.mark.parametrize("name", ["all_messages_events", "pydantic_ai.all_messages"])
def test_pydantic_ai_agents_keep_the_whole_run(name: str) -> None:
    answer = {"event.name": "gen_ai.assistant.message", "role": "assistant", "content": "Rain."}
    span = spoken(
        "pydantic-ai",
        {
            "agent_name": "forecaster",
            "model_name": "gpt-4o",
            name: json.dumps([*EVENTS, answer]),
            "final_result": "Rain.",
            "gen_ai.aggregated_usage.input_tokens": 9,
            "gen_ai.aggregated_usage.output_tokens": 2,
        },
        name="agent run",
    )
    assert (span.kind, span.agent_name, span.request_model) == ("agent", "forecaster", "gpt-4o")
    assert span.output == "Rain."
    assert span.usage is not None
    assert (span.usage.input, span.usage.output) == (9, 2)
    found = normalized.of(span)
    assert found["input_messages"] == ASKED
    assert found["output_messages"] == [{"role": "assistant", "content": "Rain."}]


def test_common_names_of_pydantic_ai_mean_nothing_on_the_spans_of_others() -> None:
    span = read({"events": "many", "final_result": "7", "agent_name": "x", "model_name": "y"})
    assert (span.input, span.output, span.agent_name, span.model) == ("", "", "", "")


def test_pydantic_ai_tools_before_the_standard_names() -> None:
    attributes = {"gen_ai.tool.name": "weather", "tool_arguments": "{}", "tool_response": "rain"}
    span = spoken("pydantic-ai", attributes, name="running tool")
    assert (span.kind, span.tool_name, span.input, span.output) == ("tool", "weather", "{}", "rain")


def test_logfire_before_the_standard_names_keeps_request_and_response() -> None:
    request = {"model": "gpt-4o", "temperature": 0.1, "messages": ASKED}
    response = {"message": CALL, "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
    span = spoken(
        "logfire.openai",
        {
            "request_data": json.dumps(request),
            "response_data": json.dumps(response),
            "logfire.tags": ["LLM"],
            "logfire.msg": "Chat Completion with 'gpt-4o'",
        },
        name="Chat Completion with {request_data[model]!r}",
    )
    assert (span.convention, span.kind, span.request_model) == ("logfire", "llm", "gpt-4o")
    assert (span.tags, span.usage and span.usage.input) == (("LLM",), 5)
    found = normalized.of(span)
    assert found["input_messages"] == ASKED
    assert found["output_messages"] == [{"content": None, **CALL}]
    assert found["params"] == {"temperature": 0.1}


def test_logfire_of_the_responses_api_keeps_events() -> None:
    events = [*EVENTS, {"event.name": "gen_ai.choice", "index": 0, "message": CALL}]
    attributes = {"gen_ai.request.model": "gpt-4o", "events": json.dumps(events)}
    found = normalized.of(spoken("logfire.openai", attributes, name="Responses API with {model!r}"))
    assert found["input_messages"] == ASKED
    assert found["output_messages"] == [{"content": None, **CALL}]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("agent_run", "agent"),
        ("workflow_run", "chain"),
        ("model_step", "llm"),
        ("provider_tool_call", "tool"),
        ("rag_vector_operation", "retriever"),
        ("generic", "span"),
    ],
)
def test_mastra_says_what_a_span_is(said: str, kind: str) -> None:
    span = read({"mastra.span.type": said, "gen_ai.operation.name": said})
    assert (span.convention, span.kind) == ("mastra", kind)


def test_mastra_keeps_content_by_the_type_of_the_span() -> None:
    span = read(
        {
            "mastra.span.type": "model_step",
            "mastra.model_step.input": json.dumps(
                {"body": {"model": "grok-3", "messages": ASKED, "temperature": 0}}
            ),
            "mastra.model_step.output": json.dumps(
                {
                    "text": "Looking.",
                    "toolCalls": [{"toolCallId": "c", "toolName": "weather", "args": {}}],
                }
            ),
            "mastra.metadata.threadId": "t",
            "mastra.metadata.resourceId": "u",
            "mastra.metadata.plan": "pro",
            "mastra.tags": '["vip"]',
        }
    )
    assert (span.request_model, span.session_id, span.user_id) == ("grok-3", "t", "u")
    assert (span.tags, span.metadata["plan"]) == (("vip",), "pro")
    found = normalized.of(span)
    assert found["input_messages"] == ASKED
    assert found["output_messages"] == [
        {"role": "assistant", "content": "Looking.", "tool_calls": CALL["tool_calls"]}
    ]
    assert found["params"] == {"temperature": 0}


def test_google_adk_keeps_gemini_requests_and_responses() -> None:
    request = {
        "model": "gemini-2.5-pro",
        "config": {
            "system_instruction": "Be kind.",
            "temperature": 0.3,
            "max_output_tokens": 64,
            "tools": [{"function_declarations": [{"name": "weather"}]}],
        },
        "contents": [
            {"role": "user", "parts": [{"text": "Weather?"}]},
            {
                "role": "user",
                "parts": [{"function_response": {"id": "c", "response": {"sky": "rain"}}}],
            },
        ],
    }
    response = {
        "content": {
            "role": "model",
            "parts": [{"text": "Hm.", "thought": True}, {"text": "Rain."}],
        },
        "usage_metadata": {
            "prompt_token_count": 50,
            "cached_content_token_count": 40,
            "candidates_token_count": 6,
        },
        "finish_reason": "STOP",
    }
    span = read(
        {
            "gen_ai.system": "gcp.vertex.agent",
            "gen_ai.request.model": "gemini-2.5-pro",
            "gcp.vertex.agent.session_id": "s",
            "gcp.vertex.agent.llm_request": json.dumps(request),
            "gcp.vertex.agent.llm_response": json.dumps(response),
        },
        name="call_llm",
    )
    assert (span.convention, span.kind, span.session_id) == ("google_adk", "llm", "s")
    assert span.usage is not None
    assert (span.usage.uncached_input, span.usage.cache_read, span.usage.output) == (10, 40, 6)
    assert span.finish_reasons == ("STOP",)
    found = normalized.of(span)
    assert found["input_messages"] == [
        {"role": "user", "content": "Weather?"},
        {"role": "tool", "content": '{"sky":"rain"}', "tool_call_id": "c"},
    ]
    assert found["output_messages"] == [
        {"role": "assistant", "content": "Rain.", "reasoning": "Hm."}
    ]
    assert found["system_instructions"] == "Be kind."
    assert found["tool_definitions"] == [{"name": "weather"}]
    assert found["params"] == {"temperature": 0.3, "max_tokens": 64}


def test_google_adk_tools_do_not_show_empty_model_calls() -> None:
    span = read(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "weather",
            "gcp.vertex.agent.llm_request": "{}",
            "gcp.vertex.agent.llm_response": "{}",
            "gcp.vertex.agent.tool_call_args": '{"city":"Paris"}',
            "gcp.vertex.agent.tool_response": '{"sky":"rain"}',
        }
    )
    assert (span.input, span.output) == ('{"city":"Paris"}', '{"sky":"rain"}')
    assert normalized.of(span)["tool_arguments"] == '{"city":"Paris"}'


def test_laminar_is_read() -> None:
    span = read(
        {
            "lmnr.span.type": "TOOL",
            "lmnr.span.input": "[1]",
            "lmnr.span.output": "2",
            "lmnr.association.properties.session_id": "s",
            "lmnr.association.properties.user_id": "u",
            "lmnr.association.properties.metadata.plan": "pro",
            "lmnr.association.properties.tags": ["vip"],
        }
    )
    assert (span.convention, span.kind, span.input, span.output) == ("laminar", "tool", "[1]", "2")
    assert (span.session_id, span.user_id, span.tags) == ("s", "u", ("vip",))
    assert span.metadata["plan"] == "pro"


def test_openllmetry_names_tools_and_agents_by_entity_and_reads_guardrails() -> None:
    tool = read({"traceloop.span.kind": "tool", "traceloop.entity.name": "weather"})
    assert (tool.kind, tool.tool_name) == ("tool", "weather")
    guard = read({"gen_ai.guardrail.name": "pii", "gen_ai.guardrail.input": "x"})
    assert (guard.kind, guard.input) == ("guardrail", "x")
    search = read({"db.system": "chroma", "db.chroma.query.n_results": 3})
    assert search.kind == "retriever"
