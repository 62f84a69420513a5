"""Mastra: a span type of its own, `mastra.<type>.input` and `.output`, and generative AI names for
model calls. Exporters before 1.0 wrote `input` and `output` on every span.
https://mastra.ai/docs/observability/overview
"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads
from traces.spans import Kind

_KINDS: dict[str, Kind] = {
    "agent_run": "agent",
    "workflow_run": "chain",
    "workflow_step": "task",
    "workflow_conditional": "chain",
    "workflow_conditional_eval": "task",
    "workflow_parallel": "chain",
    "workflow_loop": "chain",
    "workflow_sleep": "task",
    "workflow_wait_event": "task",
    "model_generation": "llm",
    "model_inference": "llm",
    "model_step": "llm",
    "model_chunk": "span",
    "llm_generation": "llm",
    "llm_step": "llm",
    "llm_chunk": "span",
    "tool_call": "tool",
    "client_tool_call": "tool",
    "provider_tool_call": "tool",
    "mcp_tool_call": "tool",
    "mcp_server_request": "span",
    "processor_run": "chain",
    "scorer_run": "scorer",
    "scorer_step": "scorer",
    "rag_ingestion": "chain",
    "rag_embedding": "embedding",
    "rag_vector_operation": "retriever",
    "rag_action": "task",
    "graph_action": "task",
    "memory_operation": "task",
    "workspace_action": "task",
    "generic": "span",
}
_INPUTS = tuple(f"mastra.{kind}.input" for kind in _KINDS)
_OUTPUTS = tuple(f"mastra.{kind}.output" for kind in _KINDS)
_MODEL = "mastra.metadata.modelMetadata"
_STEP = "mastra.model_step.input"

MASTRA = Convention(
    name="mastra",
    marks=("mastra.",),
    scopes=("@mastra/otel", "@mastra/otel-exporter", "@mastra/otel-bridge"),
    kinds={"mastra.span.type": _KINDS},
    fields={
        "input": _INPUTS,
        "output": _OUTPUTS,
        "session_id": ("mastra.metadata.threadId", "mastra.metadata.sessionId"),
        "user_id": ("mastra.metadata.userId", "mastra.metadata.resourceId"),
        "agent_id": ("agent.id",),
        "tags": ("mastra.tags",),
        "first_token_at": ("mastra.completion_start_time",),
        "cache_write_5m_tokens": ("gen_ai.usage.cache_creation.5m_input_tokens",),
        "cache_write_1h_tokens": ("gen_ai.usage.cache_creation.1h_input_tokens",),
        "input_audio_tokens": ("gen_ai.usage.audio_input_tokens",),
        "output_audio_tokens": ("gen_ai.usage.audio_output_tokens",),
    },
    json_fields={
        _MODEL: (
            ("model", ("modelId",)),
            ("request_model", ("modelId",)),
            ("response_model", ("modelId",)),
            ("provider", ("modelProvider",)),
        ),
        _STEP: (("model", ("body", "model")), ("request_model", ("body", "model"))),
    },
    metadata_prefixes=("mastra.metadata.",),
    reads=Reads(
        fields={
            "input_messages": ("gen_ai.input.messages", *_INPUTS, "input"),
            "output_messages": ("gen_ai.output.messages", *_OUTPUTS, "output"),
            "tool_definitions": ("gen_ai.tool.definitions", f"{_STEP}#body.tools"),
            "system_instructions": ("gen_ai.system_instructions", f"{_STEP}#body.system"),
        },
        param_objects=(f"{_STEP}#body",),
    ),
)
