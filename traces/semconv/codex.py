"""Codex (OpenAI's coding agent): `codex.*`, bare names on its own spans, and generative AI names on
the span of a response. https://github.com/openai/codex/tree/main/codex-rs/otel

A turn restates the usage of its responses. Input counts include cached tokens. Where no thread is
named (older versions), a turn stands for itself.
"""

from __future__ import annotations

from traces.semconv.convention import Convention, LogTables
from traces.semconv.reads import Reads

CODEX = Convention(
    name="codex",
    marks=("codex.",),
    scopes=(
        "codex_cli_rs",
        "codex_exec",
        "codex_core",
        "codex_otel",
        "codex_tui",
        "codex-tui",
        "codex_app_server",
        "codex-app-server",
        "codex_mcp_server",
        "codex_vscode",
        "codex_sdk_ts",
        "openai.codex",
    ),
    span_names=("session_task.",),
    span_kinds={
        "session_task.turn": "agent",
        "session_task.review": "agent",
        "session_task.compact": "task",
        "session_task.user_shell": "tool",
        "handle_responses": "llm",
        "handle_tool_call": "tool",
        "exec_command": "tool",
    },
    fields={
        "input_tokens": ("codex.turn.token_usage.input_tokens",),
        "output_tokens": ("codex.turn.token_usage.output_tokens",),
        "cache_read_tokens": ("codex.turn.token_usage.cached_input_tokens",),
        "cache_write_tokens": ("codex.turn.token_usage.cache_write_input_tokens",),
        "reasoning_tokens": (
            "codex.turn.token_usage.reasoning_output_tokens",
            "codex.usage.reasoning_output_tokens",
        ),
        "total_tokens": ("codex.turn.token_usage.total_tokens", "codex.usage.total_tokens"),
    },
    own_fields={
        "model": ("gen_ai.response.model", "model"),
        "request_model": ("gen_ai.request.model", "model"),
        "response_model": ("gen_ai.response.model", "model"),
        "session_id": (
            "conversation.id",
            "thread.id",
            "conversation_id",
            "thread_id",
            "session.id",
            "turn.id",
        ),
        "user_id": ("user.account_id", "user.email"),
        "tool_name": ("gen_ai.tool.name", "tool_name", "tool.name"),
        "tool_call_id": ("gen_ai.tool.call.id", "call_id", "tool.call_id"),
        "input": ("gen_ai.tool.call.arguments", "arguments", "prompt"),
        "output": ("gen_ai.tool.call.result", "output"),
    },
    logs=LogTables(
        scopes=("codex_otel.log_only", "codex_otel.trace_safe", "com.openai.codex.events"),
        names=("codex.",),
        kinds={
            "sse_event": "llm",
            "websocket_event": "llm",
            "api_request": "llm",
            "tool_result": "tool",
            "tool_decision": "tool",
        },
        fields={
            "provider": ("provider_name",),
            "error_message": ("error.message",),
            "cache_read_tokens": ("cached_token_count",),
            "reasoning_tokens": ("reasoning_token_count",),
            # What its source calls the count of "tool" tokens is the total of the response.
            "total_tokens": ("tool_token_count",),
        },
    ),
    reads=Reads(
        fields={"user_email": ("user.email",), "version": ("app.version",)},
        params={
            "reasoning_effort": ("codex.turn.reasoning_effort", "codex.request.reasoning_effort"),
        },
    ),
)
