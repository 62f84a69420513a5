"""OpenLLMetry (Traceloop): `traceloop.*` beside older generative AI names and flat messages.
https://github.com/traceloop/openllmetry
"""

from __future__ import annotations

from traces.semconv.convention import Convention, FlatMessages
from traces.semconv.reads import Reads

OPENLLMETRY = Convention(
    name="openllmetry",
    marks=(
        "traceloop.",
        "gen_ai.prompt.",
        "gen_ai.completion.",
        "gen_ai.guardrail.",
        "gen_ai.task.",
        "llm.request.type",
    ),
    kinds={
        "traceloop.span.kind": {
            "workflow": "chain",
            "task": "task",
            "agent": "agent",
            "tool": "tool",
            "llm": "llm",
            "unknown": "span",
            "guardrail": "guardrail",
        },
        "llm.request.type": {
            "chat": "llm",
            "completion": "llm",
            "embedding": "embedding",
            "rerank": "reranker",
        },
    },
    fields={
        "input": ("traceloop.entity.input", "gen_ai.guardrail.input", "gen_ai.task.input"),
        "output": ("traceloop.entity.output", "gen_ai.guardrail.output", "gen_ai.task.output"),
        "session_id": (
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.thread_id",
        ),
        "user_id": ("traceloop.association.properties.user_id", "gen_ai.user", "llm.user"),
        "prompt_name": ("traceloop.prompt.key",),
        "prompt_version": ("traceloop.prompt.version",),
        "trace_name": ("traceloop.workflow.name",),
        "cache_read_tokens": ("llm.usage.cache_read_input_tokens",),
        "cache_write_tokens": ("llm.usage.cache_creation_input_tokens",),
        "finish_reasons": (
            "gen_ai.completion.0.finish_reason",
            "llm.response.finish_reason",
            "llm.response.stop_reason",
            "gen_ai.response.stop_reason",
        ),
        "total_tokens": ("llm.usage.total_tokens",),
        "reasoning_tokens": ("llm.usage.reasoning_tokens",),
        # before it took the generative AI names
        "request_model": ("llm.request.model",),
        "response_model": ("llm.response.model",),
        "model": ("llm.response.model", "llm.request.model"),
        "provider": ("llm.vendor",),
        "input_tokens": ("llm.usage.prompt_tokens",),
        "output_tokens": ("llm.usage.completion_tokens",),
    },
    flat_messages=(
        FlatMessages("gen_ai.prompt.", "input"),
        FlatMessages("gen_ai.completion.", "output"),
        FlatMessages("llm.completions.", "output"),
    ),
    implies={
        "gen_ai.guardrail.name": "guardrail",
        "gen_ai.task.name": "task",
        "db.vector.query.top_k": "retriever",
        "db.chroma.query.n_results": "retriever",
        "db.pinecone.query.top_k": "retriever",
        "db.milvus.search.limit": "retriever",
        "qdrant.search.collection_name": "retriever",
        "db.marqo.search.query": "retriever",
    },
    kind_fields={
        "tool": {"tool_name": ("traceloop.entity.name",)},
        "agent": {"agent_name": ("traceloop.entity.name",)},
    },
    metadata_prefixes=("traceloop.association.properties.",),
    reads=Reads(
        fields={
            "input_messages": ("traceloop.entity.input",),
            "output_messages": ("traceloop.entity.output",),
        },
        params={
            "frequency_penalty": ("llm.frequency_penalty",),
            "presence_penalty": ("llm.presence_penalty",),
            "stop_sequences": ("llm.chat.stop_sequences",),
            "top_k": ("llm.top_k",),
            "stream": ("llm.is_streaming",),
            "max_tokens": ("llm.request.max_tokens",),
            "reasoning_effort": ("llm.request.reasoning_effort",),
        },
    ),
)
