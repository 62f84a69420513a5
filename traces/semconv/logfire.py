"""Logfire: its own names beside those of others, and of its OpenAI and Anthropic integrations the
whole request and response. https://logfire.pydantic.dev/docs/
"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

LOGFIRE = Convention(
    name="logfire",
    marks=("logfire.",),
    scopes=("logfire.openai", "logfire.anthropic", "logfire.openai_agents", "pydantic-evals"),
    span_kinds={
        # the integrations, by the first word of "Chat Completion with …"
        "Chat": "llm",
        "Completion": "llm",
        "Message": "llm",
        "Responses": "llm",
        "Image": "llm",
        "streaming": "llm",
        "Embedding": "embedding",
        # of the OpenAI agents library
        "OpenAI": "chain",
        "Agent": "agent",
        "Function:": "tool",
        "Handoff:": "task",
        "Guardrail": "guardrail",
        "Transcription": "llm",
        "Speech": "llm",
        # of evaluations
        "evaluate": "chain",
        "case:": "chain",
        "execute": "task",
        "evaluator:": "evaluator",
    },
    fields={"tags": ("logfire.tags",)},
    own_fields={"reported_cost_usd": ("operation.cost",)},
    kind_fields={
        "llm": {"input": ("request_data",), "output": ("response_data",)},
        "embedding": {"input": ("request_data",)},
        "tool": {"tool_name": ("name",)},
        "agent": {"agent_name": ("name",)},
    },
    json_fields={
        "request_data": (("request_model", ("model",)), ("model", ("model",))),
        "response_data": (("usage", ("usage",)),),
        "events": (("output", ("-1", "message")),),
    },
    evaluation_prefixes=("logfire.experiment.",),
    reads=Reads(
        fields={
            "input_messages": ("gen_ai.input.messages", "request_data"),
            "output_messages": ("gen_ai.output.messages", "response_data"),
            "conversation": ("events",),
            "system_instructions": ("gen_ai.system_instructions", "request_data#system"),
            "tool_definitions": ("gen_ai.tool.definitions", "request_data#tools"),
            "level": ("logfire.level_num", "logfire.level_name"),
        },
        param_objects=("request_data",),
    ),
)
