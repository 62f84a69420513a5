"""LiveKit Agents: `lk.*`, in newer versions `lk.pii.*` for content, beside generative AI names.
https://docs.livekit.io/agents/observability/

A reply is an agent's turn; `llm_node` wraps the requests that fall back or retry. The room is the
session.
"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

LIVEKIT = Convention(
    name="livekit",
    marks=("lk.",),
    scopes=("livekit-agents",),
    span_kinds={
        "job_entrypoint": "chain",
        "agent_session": "chain",
        "agent_turn": "agent",
        "user_turn": "span",
        "llm_node": "chain",
        "llm_request": "llm",
        "llm_request_run": "span",
        "llm_fallback_adapter": "chain",
        "realtime_inference": "llm",
        "function_tool": "tool",
        "judge_evaluation": "evaluator",
        "tts_node": "task",
        "tts_request": "task",
        "stt_request": "task",
        "eou_detection": "task",
    },
    fields={
        "input": (
            "lk.pii.function_tool.arguments",
            "lk.function_tool.arguments",
            "lk.pii.chat_ctx",
            "lk.chat_ctx",
            "lk.pii.user_input",
            "lk.user_input",
            "lk.pii.input_text",
            "lk.input_text",
        ),
        "output": (
            "lk.pii.function_tool.output",
            "lk.function_tool.output",
            "lk.pii.response.text",
            "lk.response.text",
            "lk.pii.response.function_calls",
            "lk.response.function_calls",
            "lk.pii.user_transcript",
            "lk.user_transcript",
        ),
        "agent_id": ("lk.job.agent_id",),
        "tool_name": ("lk.function_tool.name",),
        "tool_call_id": ("lk.function_tool.id",),
        "user_id": ("lk.pii.participant_identity", "lk.participant_identity"),
        "first_token_seconds": ("lk.response.ttft",),
        "cache_write_tokens": ("gen_ai.usage.cache_write.input_tokens",),
        "input_audio_tokens": (
            "gen_ai.usage.audio.input_tokens",
            "gen_ai.usage.input_audio_tokens",
        ),
        "output_audio_tokens": (
            "gen_ai.usage.audio.output_tokens",
            "gen_ai.usage.output_audio_tokens",
        ),
    },
    own_fields={
        "agent_name": ("gen_ai.agent.name", "lk.agent_name", "lk.agent_label"),
        "session_id": (
            "gen_ai.conversation.id",
            "lk.pii.room_name",
            "lk.room_name",
            "lk.room_sid",
        ),
    },
    json_fields={
        "lk.llm_metrics": (
            ("input_tokens", ("prompt_tokens",)),
            ("output_tokens", ("completion_tokens",)),
            ("cache_read_tokens", ("prompt_cached_tokens",)),
            ("first_token_seconds", ("ttft",)),
            ("request_model", ("metadata", "model_name")),
            ("model", ("metadata", "model_name")),
            ("provider", ("metadata", "model_provider")),
        ),
    },
    reads=Reads(
        fields={
            "input_messages": ("lk.pii.chat_ctx#items", "lk.chat_ctx#items"),
            "output_text": ("lk.pii.response.text", "lk.response.text"),
            "output_tool_calls": ("lk.pii.response.function_calls", "lk.response.function_calls"),
            "system_instructions": ("lk.pii.instructions", "lk.instructions"),
            "tool_definitions": ("gen_ai.tool.definitions", "lk.function_tools"),
            "tool_arguments": ("lk.pii.function_tool.arguments", "lk.function_tool.arguments"),
            "tool_result": ("lk.pii.function_tool.output", "lk.function_tool.output"),
        },
    ),
)
