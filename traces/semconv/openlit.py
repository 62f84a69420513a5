"""OpenLIT: generative AI names and many of its own under `gen_ai.`. https://docs.openlit.io"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

OPENLIT = Convention(
    name="openlit",
    marks=("openlit.", "gen_ai.application_name", "gen_ai.environment", "gen_ai.sdk.version"),
    scopes=("openlit.otel.tracing", "openlit"),
    kinds={
        "gen_ai.operation.name": {
            "image": "llm",
            "audio": "llm",
            "speech_to_text": "llm",
            "text_to_speech": "llm",
            "translate": "llm",
            "transliterate": "llm",
            "language_identification": "llm",
            "speech_to_text_translate": "llm",
            "video": "llm",
            "realtime": "llm",
            "model_request": "llm",
            "extract_llm": "llm",
            "vectordb": "retriever",
            "retrieve": "retriever",
            "memory_search": "retriever",
            "memory_get": "retriever",
            "framework": "chain",
            "agent": "agent",
            "execute_agent_task": "task",
            "task": "task",
            "execution": "chain",
            "user_prompt_processing": "chain",
            "tool_coordination": "chain",
            "memory": "task",
            "memory_add": "task",
            "memory_update": "task",
            "memory_delete": "task",
            "mcp_tool_call": "tool",
            "moderation": "guardrail",
        }
    },
    fields={
        "input": (
            "gen_ai.workflow.input",
            "gen_ai.retrieval.query",
            "gen_ai.memory.search.query",
            "gen_ai.agent.task",
        ),
        "output": (
            "gen_ai.workflow.output",
            "gen_ai.agent.final_result",
            "gen_ai.agent.actual_output",
        ),
        "session_id": ("gen_ai.session.id", "gen_ai.agent.session_id"),
        "user_id": ("gen_ai.user.id", "gen_ai.memory.user_id"),
        "environment": ("gen_ai.environment",),
        "service_name": ("gen_ai.application_name",),
        "cache_read_tokens": ("gen_ai.usage.prompt_tokens_details.cache_read",),
        "cache_write_tokens": ("gen_ai.usage.prompt_tokens_details.cache_write",),
        "reasoning_tokens": ("gen_ai.usage.completion_tokens_details.reasoning",),
        "output_audio_tokens": ("gen_ai.usage.completion_tokens_details.audio",),
        "tags": ("gen_ai.framework.tags",),
    },
    # A model's span carries the tool calls that the model asked for under the same names.
    kind_fields={
        "tool": {
            "input": ("gen_ai.tool.args", "gen_ai.tool.input"),
            "output": ("gen_ai.tool.output", "gen_ai.tool.result"),
        }
    },
    reads=Reads(
        fields={
            "output_tool_calls": ("gen_ai.response.tool_calls",),
            "output_reasoning": ("gen_ai.content.reasoning",),
            "system_instructions": ("gen_ai.agent.instructions",),
            "tool_definitions": ("gen_ai.tool.definitions", "gen_ai.tool.schema"),
            "tool_arguments": ("gen_ai.tool.args", "gen_ai.tool.input", "gen_ai.tool.parameters"),
            "tool_result": ("gen_ai.tool.output", "gen_ai.tool.result"),
        },
        params={"stream": ("gen_ai.request.is_stream",)},
    ),
)
