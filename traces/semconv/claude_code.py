"""Claude Code's traces (its beta telemetry), also as driven by the Claude Agent SDK.
https://code.claude.com/docs/en/monitoring-usage

One trace a prompt: `interaction`, under it model requests and tools, under a tool its wait for the
user's decision and its execution. Cached tokens are counted beside the input. Prompts, tool inputs
and outputs are withheld unless asked for. Its attributes have bare names, so they are read of its
own spans only.
"""

from __future__ import annotations

from traces.semconv.convention import Convention, LogTables
from traces.semconv.reads import Reads

CLAUDE_CODE = Convention(
    name="claude_code",
    marks=("claude_code.",),
    scopes=("com.anthropic.claude_code.tracing", "com.anthropic.claude_code"),
    span_names=("claude_code.",),
    span_kinds={
        "claude_code.interaction": "agent",
        "claude_code.llm_request": "llm",
        "claude_code.tool": "tool",
        "claude_code.tool.execution": "span",
        "claude_code.tool.blocked_on_user": "span",
        "claude_code.subagent.spawn": "task",
        "claude_code.hook": "task",
        "claude_code.compaction": "task",
        "claude_code.mcp.rpc": "span",
        "claude_code.bash.subprocess": "span",
    },
    fields={},
    own_fields={
        "input": (
            "user_prompt",
            "tool_input",
            "full_command",
            "command",
            "mcp_args",
            "file_path",
            "hook_definitions",
            "new_context",
        ),
        "output": ("response.model_output", "tool_result", "output", "stdout"),
        "model": ("gen_ai.response.model", "model"),
        "request_model": ("gen_ai.request.model", "model"),
        "response_id": ("gen_ai.response.id", "request_id"),
        "finish_reasons": ("stop_reason",),
        "tool_name": ("tool_name", "gen_ai.tool.name"),
        "tool_call_id": ("gen_ai.tool.call.id", "tool_use_id"),
        "agent_id": ("agent_id",),
        "agent_name": ("gen_ai.agent.name", "agent_type", "subagent_type", "agent_name"),
        "user_id": ("user.id", "user.account_uuid"),
        "error_message": ("error",),
        "error_type": ("error.type", "error_class"),
        "first_token_ms": ("ttft_ms",),
        "input_tokens": ("input_tokens",),
        "output_tokens": ("output_tokens",),
        "cache_read_tokens": ("cache_read_tokens",),
        "cache_write_tokens": ("cache_creation_tokens",),
        "cache_write_1h_tokens": ("gen_ai.usage.cache_creation_1h.input_tokens",),
        "reported_cost_usd": ("cost_usd",),
    },
    cache_inside_input=False,
    reads=Reads(
        fields={
            "system_instructions": ("system_prompt_preview",),
            "tool_arguments": ("tool_input", "full_command", "file_path"),
            "tool_result": ("tool_result",),
            "user_email": ("user.email",),
            "version": ("app.version",),
        },
        params={"reasoning_effort": ("effort",), "speed": ("speed",)},
    ),
    logs=LogTables(
        scopes=("com.anthropic.claude_code.events",),
        names=("claude_code.",),
        kinds={
            "api_request": "llm",
            "api_error": "llm",
            "tool_result": "tool",
            "tool_decision": "tool",
        },
        fields={
            "input": ("prompt", "tool_input", "tool_parameters"),
            "output": ("response",),
            "agent_name": ("agent.name", "subagent_type"),
        },
    ),
)
