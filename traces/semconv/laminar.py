"""Laminar: `lmnr.*` beside generative AI names. https://docs.lmnr.ai/tracing"""

from __future__ import annotations

from traces.semconv.convention import Convention
from traces.semconv.reads import Reads

_PROPERTIES = "lmnr.association.properties."

LAMINAR = Convention(
    name="laminar",
    marks=("lmnr.",),
    kinds={
        "lmnr.span.type": {
            "llm": "llm",
            "cached": "llm",
            "tool": "tool",
            "default": "span",
            "pipeline": "chain",
            "executor": "task",
            "evaluator": "evaluator",
            "human_evaluator": "evaluator",
            "evaluation": "chain",
        }
    },
    fields={
        "input": ("lmnr.span.input",),
        "output": ("lmnr.span.output",),
        "session_id": (f"{_PROPERTIES}session_id",),
        "user_id": (f"{_PROPERTIES}user_id",),
        "tags": (f"{_PROPERTIES}tags",),
    },
    metadata_prefixes=(f"{_PROPERTIES}metadata.",),
    reads=Reads(
        fields={
            "input_messages": ("lmnr.span.input",),
            "output_messages": ("lmnr.span.output",),
        }
    ),
)
