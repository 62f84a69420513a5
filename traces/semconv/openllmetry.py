"""OpenLLMetry (Traceloop): `traceloop.*` beside older generative AI names and flat messages.
https://github.com/traceloop/openllmetry
"""

from __future__ import annotations

from traces.semconv.convention import Convention, FlatMessages

OPENLLMETRY = Convention(
    name="openllmetry",
    marks=("traceloop.", "gen_ai.prompt.", "gen_ai.completion.", "llm.request.type"),
    kinds={
        "traceloop.span.kind": {
            "workflow": "chain",
            "task": "task",
            "agent": "agent",
            "tool": "tool",
            "llm": "llm",
            "unknown": "span",
        },
        "llm.request.type": {
            "chat": "llm",
            "completion": "llm",
            "embedding": "embedding",
            "rerank": "reranker",
        },
    },
    fields={
        "input": ("traceloop.entity.input",),
        "output": ("traceloop.entity.output",),
        "session_id": (
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.thread_id",
        ),
        "user_id": ("traceloop.association.properties.user_id",),
        "prompt_name": ("traceloop.prompt.key",),
        "prompt_version": ("traceloop.prompt.version",),
        "trace_name": ("traceloop.workflow.name",),
        "cache_read_tokens": ("llm.usage.cache_read_input_tokens",),
        "cache_write_tokens": ("llm.usage.cache_creation_input_tokens",),
        "finish_reasons": ("gen_ai.completion.0.finish_reason",),
    },
    flat_messages=(
        FlatMessages("gen_ai.prompt.", "input"),
        FlatMessages("gen_ai.completion.", "output"),
    ),
    metadata_prefixes=("traceloop.association.properties.",),
)
