"""Pydantic AI, instrumentation versions 1 to 6: generative AI names and a few of its own. Version 1
puts messages as a JSON list of events into one attribute, agents the whole run's messages.
https://ai.pydantic.dev/logfire/
"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

PYDANTIC_AI = Convention(
    name="pydantic_ai",
    marks=("pydantic_ai.", "all_messages_events", "model_request_parameters"),
    scopes=("pydantic-ai",),
    span_kinds={
        "agent run": "agent",
        "running tool": "tool",
        "running tools": "chain",
        "running output function": "tool",
    },
    fields={
        "input": ("pydantic_ai.all_messages", "all_messages_events"),
        "first_token_seconds": ("gen_ai.client.operation.time_to_first_chunk",),
        # Of a whole run, named apart so that nobody adds them to those of its model calls.
        "input_tokens": ("gen_ai.aggregated_usage.input_tokens",),
        "output_tokens": ("gen_ai.aggregated_usage.output_tokens",),
        "cache_read_tokens": (
            "gen_ai.aggregated_usage.cache_read.input_tokens",
            "gen_ai.aggregated_usage.details.cache_read_tokens",
        ),
        "cache_write_tokens": (
            "gen_ai.aggregated_usage.cache_creation.input_tokens",
            "gen_ai.aggregated_usage.details.cache_write_tokens",
        ),
        "reasoning_tokens": (
            "gen_ai.usage.details.thoughts_tokens",
            "gen_ai.aggregated_usage.details.reasoning_tokens",
            "gen_ai.aggregated_usage.details.thoughts_tokens",
        ),
        "input_audio_tokens": ("gen_ai.usage.details.input_audio_tokens",),
        "output_audio_tokens": ("gen_ai.usage.details.output_audio_tokens",),
    },
    own_fields={
        "agent_name": ("agent_name",),
        "model": ("model_name",),
        "request_model": ("model_name",),
        "input": ("events",),
        "output": ("final_result",),
    },
    kind_fields={"agent": {"output": ("final_result",), "agent_name": ("agent_name",)}},
    json_fields={"events": (("output", ("-1", "message")),)},
    implies={"pydantic_ai.all_messages": "agent", "all_messages_events": "agent"},
    reads=Reads(
        fields={
            "conversation": ("pydantic_ai.all_messages", "all_messages_events", "events"),
            "tool_definitions": (
                "gen_ai.tool.definitions",
                "model_request_parameters#function_tools",
                "model_request_parameters#output_tools",
            ),
        }
    ),
)
