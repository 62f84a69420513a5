"""Gemini CLI: its log records, which is where it says most; its spans bear generative AI names.
https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/telemetry.md

Input counts include cached tokens; thoughts are counted beside the output, tools inside the input.
"""

from __future__ import annotations

from traces.semconv.convention import Convention, LogTables
from traces.semconv.reads import Reads

GEMINI_CLI = Convention(
    name="gemini_cli",
    marks=("gemini_cli.",),
    fields={},
    logs=LogTables(
        scopes=("gemini-cli",),
        names=("gemini_cli.",),
        kinds={
            "api_request": "llm",
            "api_response": "llm",
            "api_error": "llm",
            "tool_call": "tool",
            "agent.start": "agent",
            "agent.finish": "agent",
        },
        fields={
            "input": ("prompt", "request_text", "function_args"),
            "output": ("response_text",),
            "model": ("model", "model_name"),
            "tool_name": ("function_name",),
            "agent_name": ("agent_name",),
            "agent_id": ("agent_id",),
            "error_message": ("error", "error_message"),
            "error_type": ("error_type",),
        },
    ),
    reads=Reads(fields={"user_email": ("user.email",)}),
)
