"""MLflow tracing, versions 2 and 3: `mlflow.*`, every value JSON (texts are quoted).
https://mlflow.org/docs/latest/genai/tracing/

Input counts include cached tokens, for all providers.
"""

from __future__ import annotations

from collections.abc import Mapping

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads
from traces.spans import Kind

_KINDS: Mapping[str, Kind] = {
    "llm": "llm",
    "chat_model": "llm",
    "chain": "chain",
    "workflow": "chain",
    "agent": "agent",
    "tool": "tool",
    "retriever": "retriever",
    "embedding": "embedding",
    "reranker": "reranker",
    "parser": "chain",
    "memory": "task",
    "task": "task",
    "guardrail": "guardrail",
    "evaluator": "evaluator",
    "unknown": "span",
}

MLFLOW = Convention(
    name="mlflow",
    marks=("mlflow.",),
    kinds={"mlflow.spanType": {**_KINDS, **{f'"{name}"': kind for name, kind in _KINDS.items()}}},
    fields={
        "input": ("mlflow.spanInputs", "mlflow.traceInputs"),
        "output": ("mlflow.spanOutputs", "mlflow.traceOutputs"),
    },
    json_fields={
        "mlflow.llm.model": (("model", ()), ("request_model", ())),
        "mlflow.llm.provider": (("provider", ()),),
        "mlflow.spanFunctionName": (("git_source_function", ()),),
        "mlflow.trace.session": (("session_id", ()),),
        "mlflow.trace.user": (("user_id", ()),),
        "mlflow.traceName": (("trace_name", ()),),
        "mlflow.llm.cost": (("reported_cost_usd", ("total_cost",)),),
        "mlflow.chat.tokenUsage": (
            ("input_tokens", ("input_tokens",)),
            ("output_tokens", ("output_tokens",)),
            ("cache_read_tokens", ("cache_read_input_tokens",)),
            ("cache_write_tokens", ("cache_creation_input_tokens",)),
            ("cache_write_1h_tokens", ("cache_creation_input_tokens_above_1hr",)),
        ),
        "mlflow.linkedPrompts": (
            ("prompt_name", ("0", "name")),
            ("prompt_version", ("0", "version")),
        ),
        # What the instrumented calls were made with, where the model has no attribute of its own.
        "mlflow.spanInputs": (("request_model", ("model",)), ("model", ("model",))),
    },
    metadata_prefixes=("mlflow.traceTag.",),
    reads=Reads(
        fields={
            "input_messages": ("mlflow.chat.messages", "mlflow.spanInputs"),
            "output_messages": ("mlflow.spanOutputs",),
            "tool_definitions": ("mlflow.chat.tools", "mlflow.spanInputs#tools"),
            "tool_arguments": ("mlflow.spanInputs",),
            "tool_result": ("mlflow.spanOutputs",),
            "retrieval_contexts": ("mlflow.spanOutputs",),
            "level": ("mlflow.spanLogLevel",),
        },
        params={
            "temperature": ("mlflow.spanInputs#temperature",),
            "top_p": ("mlflow.spanInputs#top_p",),
            "top_k": ("mlflow.spanInputs#top_k",),
            "max_tokens": (
                "mlflow.spanInputs#max_tokens",
                "mlflow.spanInputs#max_completion_tokens",
            ),
            "stream": ("mlflow.spanInputs#stream",),
            "seed": ("mlflow.spanInputs#seed",),
        },
    ),
)
