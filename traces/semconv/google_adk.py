"""Google's Agent Development Kit: generative AI names, and whole requests and responses of Gemini's
API as JSON. https://google.github.io/adk-docs/observability/
"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

_REQUEST = "gcp.vertex.agent.llm_request"
_RESPONSE = "gcp.vertex.agent.llm_response"

GOOGLE_ADK = Convention(
    name="google_adk",
    marks=("gcp.vertex.agent.",),
    scopes=("gcp.vertex.agent",),
    span_kinds={
        "invocation": "chain",
        "agent_run": "agent",
        "invoke_agent": "agent",
        "invoke_node": "task",
        "call_llm": "llm",
        "compact_events": "task",
        "send_data": "task",
        "execute_tool": "tool",
        "execute_tool_call": "tool",
    },
    fields={
        "input": ("gcp.vertex.agent.tool_call_args",),
        "output": ("gcp.vertex.agent.tool_response",),
        "session_id": ("gcp.vertex.agent.session_id",),
    },
    kind_fields={
        "llm": {"input": (_REQUEST,), "output": (_RESPONSE,)},
        "task": {"input": ("gcp.vertex.agent.data",)},
    },
    json_fields={
        _RESPONSE: (
            ("input_tokens", ("usage_metadata", "prompt_token_count")),
            ("output_tokens", ("usage_metadata", "candidates_token_count")),
            ("cache_read_tokens", ("usage_metadata", "cached_content_token_count")),
            ("reasoning_tokens", ("usage_metadata", "thoughts_token_count")),
            ("response_model", ("model_version",)),
            ("finish_reasons", ("finish_reason",)),
        ),
    },
    reads=Reads(
        fields={
            "input_messages": ("gen_ai.input.messages", f"{_REQUEST}#contents"),
            "output_messages": ("gen_ai.output.messages", f"{_RESPONSE}#content"),
            "system_instructions": (
                "gen_ai.system_instructions",
                f"{_REQUEST}#config.system_instruction",
            ),
            "tool_definitions": ("gen_ai.tool.definitions", f"{_REQUEST}#config.tools"),
            "tool_arguments": ("gen_ai.tool.call.arguments", "gcp.vertex.agent.tool_call_args"),
            "tool_result": ("gen_ai.tool.call.result", "gcp.vertex.agent.tool_response"),
        },
        param_objects=(f"{_REQUEST}#config",),
    ),
)
