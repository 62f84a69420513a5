"""Langfuse SDKs for Python (3 to 5) and JavaScript (4, 5): `langfuse.*`.
https://langfuse.com/integrations/native/opentelemetry#property-mapping

Usage details are free names of disjoint counts, or a provider's whole usage object. Metadata are
one attribute a key, in newer versions JSON each. Version 2 does not speak OpenTelemetry.
"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

LANGFUSE = Convention(
    name="langfuse",
    marks=("langfuse.",),
    scopes=("langfuse-sdk",),
    kinds={
        "langfuse.observation.type": {
            "generation": "llm",
            "span": "span",
            "event": "span",
            "agent": "agent",
            "tool": "tool",
            "chain": "chain",
            "retriever": "retriever",
            "embedding": "embedding",
            "evaluator": "evaluator",
            "guardrail": "guardrail",
        }
    },
    fields={
        "input": ("langfuse.observation.input", "langfuse.trace.input"),
        "output": ("langfuse.observation.output", "langfuse.trace.output"),
        "model": ("langfuse.observation.model.name", "langfuse.observation.model"),
        "request_model": ("langfuse.observation.model.name", "langfuse.observation.model"),
        "usage": ("langfuse.observation.usage_details", "langfuse.observation.usage"),
        "reported_cost_usd": ("langfuse.observation.cost_details", "langfuse.observation.cost"),
        "prompt_name": ("langfuse.observation.prompt.name", "langfuse.prompt.name"),
        "prompt_version": ("langfuse.observation.prompt.version", "langfuse.prompt.version"),
        "first_token_at": ("langfuse.observation.completion_start_time",),
        "session_id": ("langfuse.session.id", "langfuse.trace.session_id"),
        "user_id": ("langfuse.user.id", "langfuse.trace.user_id"),
        "environment": ("langfuse.environment",),
        "release": ("langfuse.release",),
        "trace_name": ("langfuse.trace.name",),
        "tags": ("langfuse.tags", "langfuse.observation.tags", "langfuse.trace.tags"),
        "trace_tags": ("langfuse.trace.tags",),
        "metadata": ("langfuse.observation.metadata",),
        "trace_metadata": ("langfuse.trace.metadata",),
    },
    implies={"langfuse.observation.model.name": "llm"},
    metadata_prefixes=("langfuse.observation.metadata.",),
    trace_metadata_prefixes=("langfuse.trace.metadata.",),
    evaluation_prefixes=("langfuse.experiment.",),
    resource_fields={
        "environment": ("langfuse.environment",),
        "release": ("langfuse.release",),
    },
    reads=Reads(
        fields={
            "input_messages": ("langfuse.observation.input",),
            "output_messages": ("langfuse.observation.output",),
            "tool_definitions": ("langfuse.observation.input#tools",),
            "level": ("langfuse.observation.level",),
            "version": ("langfuse.version", "langfuse.observation.version"),
            "public": ("langfuse.trace.public",),
        },
        param_objects=("langfuse.observation.model.parameters",),
    ),
)
