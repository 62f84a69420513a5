"""OpenInference: https://github.com/Arize-ai/openinference/tree/main/spec

Prompt counts include what the cache read and wrote.
"""

from __future__ import annotations

from traces.semconv.convention import Convention, FlatMessages
from traces.semconv.reads import Reads

OPENINFERENCE = Convention(
    name="openinference",
    marks=(
        "openinference.",
        "input.value",
        "output.value",
        "llm.model_name",
        "llm.input_messages.",
        "llm.output_messages.",
        "llm.token_count.",
        "llm.tools.",
        "llm.invocation_parameters",
        "retrieval.documents",
        "embedding.",
        "reranker.",
    ),
    kinds={
        "openinference.span.kind": {
            "llm": "llm",
            "agent": "agent",
            "tool": "tool",
            "chain": "chain",
            "prompt": "chain",
            "retriever": "retriever",
            "embedding": "embedding",
            "reranker": "reranker",
            "guardrail": "guardrail",
            "evaluator": "evaluator",
            "decision": "llm",
        }
    },
    fields={
        "input": ("input.value", "tool.parameters", "reranker.query"),
        "output": ("output.value", "retrieval.documents"),
        # Instrumentations that also write the standard names mean those more exactly.
        "model": (
            "gen_ai.response.model",
            "llm.response.model_name",
            "gen_ai.request.model",
            "llm.model_name",
            "llm.request.model_name",
            "embedding.model_name",
            "reranker.model_name",
            "decision.response.model_name",
            "decision.model_name",
        ),
        "request_model": (
            "gen_ai.request.model",
            "llm.request.model_name",
            "llm.model_name",
            "embedding.model_name",
            "reranker.model_name",
            "decision.request.model_name",
            "decision.model_name",
        ),
        "response_model": (
            "gen_ai.response.model",
            "llm.response.model_name",
            "llm.model_name",
            "decision.response.model_name",
        ),
        "provider": ("llm.provider", "llm.system", "decision.provider", "decision.system"),
        "finish_reasons": ("llm.finish_reason",),
        "agent_name": ("agent.name",),
        # The published SDK's integrations write the standard name beside OpenInference's.
        "tool_name": ("gen_ai.tool.name", "tool.name"),
        "tool_call_id": ("gen_ai.tool.call.id", "tool.id", "claude_agent_sdk.tool_use_id"),
        "session_id": ("session.id",),
        "user_id": ("user.id", "session.user_id"),
        "tags": ("tag.tags",),
        "metadata": ("metadata",),
        "prompt_name": ("prompt.id", "prompt.name"),
        "prompt_version": ("llm.prompt_template.version",),
        "input_tokens": ("llm.token_count.prompt", "decision.token_count.input"),
        "output_tokens": ("llm.token_count.completion", "decision.token_count.output"),
        "cache_read_tokens": (
            "llm.token_count.prompt_details.cache_read",
            "llm.token_count.prompt_details.cache_input",
        ),
        "cache_write_tokens": (
            "llm.token_count.prompt_details.cache_write",
            # as the published Claude Agent SDK integration spells it
            "llm.token_count.prompt_details.cache_creation",
        ),
        "cache_write_1h_tokens": ("llm.token_count.prompt_details.cache_write_1h",),
        "reasoning_tokens": ("llm.token_count.completion_details.reasoning",),
        "input_audio_tokens": ("llm.token_count.prompt_details.audio",),
        "total_tokens": ("llm.token_count.total",),
        "output_audio_tokens": ("llm.token_count.completion_details.audio",),
        "reported_cost_usd": ("llm.cost.total", "claude_agent_sdk.total_cost_usd"),
    },
    implies={
        "llm.model_name": "llm",
        "tool.name": "tool",
        "retrieval.documents": "retriever",
        "embedding.model_name": "embedding",
        "reranker.model_name": "reranker",
    },
    flat_messages=(
        FlatMessages("llm.input_messages.", "input"),
        FlatMessages("llm.output_messages.", "output"),
        FlatMessages("llm.prompts.", "input"),
        FlatMessages("llm.choices.", "output"),
        FlatMessages("retrieval.documents.", "output", are_messages=False),
        FlatMessages("reranker.output_documents.", "output", are_messages=False),
        FlatMessages("reranker.input_documents.", "input", are_messages=False),
        FlatMessages("embedding.embeddings.", "input", are_messages=False),
    ),
    reads=Reads(
        fields={
            "tool_arguments": ("tool.parameters",),
            "tool_definitions": (
                "llm.tools",
                "llm.invocation_parameters#tools",
                "tool.json_schema",
            ),
            "retrieval_contexts": (
                "retrieval.documents",
                "reranker.output_documents",
                "output.documents",
            ),
            "system_instructions": ("llm.invocation_parameters#system",),
        },
        param_objects=(
            "llm.invocation_parameters",
            "embedding.invocation_parameters",
            "decision.invocation_parameters",
        ),
        params={"top_k": ("reranker.top_k",)},
        flat_documents=("retrieval.documents.", "reranker.output_documents.", "output.documents."),
    ),
)
