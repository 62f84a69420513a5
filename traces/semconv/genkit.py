"""Genkit for JavaScript, Go and Python: `genkit:*`. https://genkit.dev/docs/observability/

What ran is the subtype of an action, its name the action's; a model's counts are inside its output.
"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

GENKIT = Convention(
    name="genkit",
    marks=("genkit:",),
    scopes=("genkit-tracer", "genkit-js"),
    kinds={
        "genkit:metadata:subtype": {
            "model": "llm",
            "background-model": "llm",
            "tool": "tool",
            "tool.v2": "tool",
            "flow": "chain",
            "agent": "agent",
            "retriever": "retriever",
            "embedder": "embedding",
            "indexer": "task",
            "evaluator": "evaluator",
            "reranker": "reranker",
            "prompt": "chain",
            "executable-prompt": "chain",
            "util": "span",
            "custom": "span",
        },
        "genkit:type": {
            "flow": "chain",
            "flowstep": "task",
            "prompttemplate": "chain",
            "util": "chain",
            "helper": "span",
            "userengagement": "span",
        },
    },
    fields={
        "input": ("genkit:input",),
        "output": ("genkit:output",),
        "session_id": (
            "genkit:sessionId",
            "genkit:metadata:sessionId",
            "genkit:metadata:agent:sessionId",
        ),
        "prompt_name": ("genkit:metadata:prompt:name",),
    },
    kind_fields={
        "llm": {"model": ("genkit:name",), "request_model": ("genkit:name",)},
        "embedding": {"model": ("genkit:name",), "request_model": ("genkit:name",)},
        "reranker": {"model": ("genkit:name",), "request_model": ("genkit:name",)},
        "tool": {"tool_name": ("genkit:name",)},
        "agent": {"agent_name": ("genkit:name",)},
    },
    json_fields={
        "genkit:output": (
            ("input_tokens", ("usage", "inputTokens")),
            ("output_tokens", ("usage", "outputTokens")),
            ("reasoning_tokens", ("usage", "thoughtsTokens")),
            ("cache_read_tokens", ("usage", "cachedContentTokens")),
            ("finish_reasons", ("finishReason",)),
            ("finish_reasons", ("candidates", "0", "finishReason")),
            ("response_model", ("custom", "model")),
            ("response_id", ("custom", "id")),
        ),
    },
    metadata_prefixes=("genkit:metadata:",),
    reads=Reads(
        fields={
            "input_messages": ("genkit:input#messages",),
            "output_messages": ("genkit:output#message", "genkit:output#candidates"),
            "tool_definitions": ("genkit:input#tools",),
            "tool_arguments": ("genkit:input",),
            "tool_result": ("genkit:output",),
            "retrieval_contexts": ("genkit:output#documents", "genkit:output"),
        },
        params={
            "temperature": ("genkit:input#config.temperature",),
            "top_p": ("genkit:input#config.topP",),
            "top_k": ("genkit:input#config.topK",),
            "max_tokens": ("genkit:input#config.maxOutputTokens",),
            "stop_sequences": ("genkit:input#config.stopSequences",),
        },
    ),
)
