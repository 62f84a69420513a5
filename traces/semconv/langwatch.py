"""LangWatch SDKs for Python and TypeScript: `langwatch.*` beside generative AI names.
https://github.com/langwatch/langwatch

Inputs and outputs are wrapped, `{"type": "text", "value": …}`; so are metrics and parameters.
"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

LANGWATCH = Convention(
    name="langwatch",
    marks=("langwatch.",),
    scopes=("langwatch",),
    kinds={
        "langwatch.span.type": {
            "span": "span",
            "llm": "llm",
            "chain": "chain",
            "tool": "tool",
            "agent": "agent",
            "guardrail": "guardrail",
            "evaluation": "evaluator",
            "rag": "retriever",
            "retriever": "retriever",
            "embedding": "embedding",
            "prompt": "chain",
            "workflow": "chain",
            "component": "span",
            "module": "span",
            "server": "span",
            "client": "span",
            "producer": "span",
            "consumer": "span",
            "task": "task",
            "unknown": "span",
        }
    },
    fields={
        "session_id": ("langwatch.thread.id", "langwatch.session.id"),
        "user_id": ("langwatch.user.id",),
        "tags": ("langwatch.labels", "langwatch.tags"),
        "prompt_name": ("langwatch.prompt.handle", "langwatch.prompt.id"),
        "prompt_version": ("langwatch.prompt.version.number", "langwatch.prompt.version.id"),
    },
    json_fields={
        "langwatch.input": (("input", ("value",)), ("input", ())),
        "langwatch.output": (("output", ("value",)), ("output", ())),
        "langwatch.metrics": (
            ("input_tokens", ("value", "prompt_tokens")),
            ("input_tokens", ("value", "promptTokens")),
            ("input_tokens", ("prompt_tokens",)),
            ("input_tokens", ("promptTokens",)),
            ("output_tokens", ("value", "completion_tokens")),
            ("output_tokens", ("value", "completionTokens")),
            ("output_tokens", ("completion_tokens",)),
            ("output_tokens", ("completionTokens",)),
            ("reasoning_tokens", ("value", "reasoning_tokens")),
            ("reasoning_tokens", ("reasoning_tokens",)),
            ("cache_read_tokens", ("value", "cache_read_input_tokens")),
            ("cache_read_tokens", ("cache_read_input_tokens",)),
            ("cache_write_tokens", ("value", "cache_creation_input_tokens")),
            ("cache_write_tokens", ("cache_creation_input_tokens",)),
            ("reported_cost_usd", ("value", "cost")),
            ("reported_cost_usd", ("cost",)),
            ("first_token_ms", ("value", "first_token_ms")),
            ("first_token_ms", ("first_token_ms",)),
        ),
        "langwatch.timestamps": (("first_token_at", ("first_token_at",)),),
    },
    own_json_fields={
        "metadata": (
            ("session_id", ("thread_id",)),
            ("session_id", ("langwatch.thread.id",)),
            ("user_id", ("user_id",)),
            ("tags", ("labels",)),
        )
    },
    metadata_names={"langwatch.customer.id": "customer_id"},
    reads=Reads(
        fields={
            "input_messages": ("langwatch.input#value",),
            "output_messages": ("langwatch.output#value",),
            "tool_definitions": ("langwatch.params#value.tools", "langwatch.params#tools"),
            "retrieval_contexts": (
                "langwatch.rag_contexts#value",
                "langwatch.rag_contexts",
                "langwatch.contexts#value",
                "langwatch.contexts",
            ),
            "customer_id": ("langwatch.customer.id",),
        },
        param_objects=("langwatch.params#value", "langwatch.params"),
    ),
)
