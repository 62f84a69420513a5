"""The TraceRoot SDKs: `traceroot.*`, written by the application's own hand, so trusted first."""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

TRACEROOT_SDK = Convention(
    name="traceroot",
    # Not `traceroot.sdk.*`, `.git.*`, `.span.path`: the SDK stamps those on every library's spans.
    marks=(
        "traceroot.span.type",
        "traceroot.span.input",
        "traceroot.span.output",
        "traceroot.llm.",
        "traceroot.eval.",
    ),
    kinds={
        "traceroot.span.type": {
            "llm": "llm",
            "agent": "agent",
            "tool": "tool",
            "span": "span",
            "task": "task",
            "scorer": "scorer",
            "evaluation": "evaluator",
        }
    },
    fields={
        "input": ("traceroot.span.input", "traceroot.llm.prompt"),
        "output": ("traceroot.span.output",),
        "model": ("traceroot.llm.model",),
        "request_model": ("traceroot.llm.model",),
        "usage": ("traceroot.llm.usage",),
        "reported_cost_usd": ("llm.cost.total",),
        "session_id": ("traceroot.trace.session_id",),
        "user_id": ("traceroot.trace.user_id",),
        "environment": ("traceroot.environment",),
        "tags": ("traceroot.span.tags",),
        "metadata": ("traceroot.span.metadata",),
        "trace_tags": ("traceroot.trace.tags",),
        "trace_metadata": ("traceroot.trace.metadata",),
        "git_repo": ("traceroot.git.repo",),
        "git_ref": ("traceroot.git.ref",),
        "git_source_file": ("traceroot.git.source_file",),
        "git_source_line": ("traceroot.git.source_line",),
        "git_source_function": ("traceroot.git.source_function",),
        "error_message": ("traceroot.eval.error",),
    },
    implies={"traceroot.llm.model": "llm"},
    metadata_prefixes=("traceroot.metadata.",),
    evaluation_prefixes=("traceroot.eval.",),
    reads=Reads(
        fields={
            "input_messages": ("traceroot.llm.prompt",),
            "tool_definitions": ("traceroot.llm.model_parameters#tools",),
            "source": ("traceroot.source",),
        },
        param_objects=("traceroot.llm.model_parameters",),
    ),
)
