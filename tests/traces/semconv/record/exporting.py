"""Sends the spans of a recording script to the receiver. Imported by the scripts, in their own
environments."""

from __future__ import annotations

import os

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

QUESTION = "What is the weather in Paris?"
OTHER_QUESTION = "What is the capital of France?"
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def url() -> str:
    return os.environ["OTLP_URL"] + "/v1/traces"


def provider(*, install: bool = True) -> TracerProvider:
    made = TracerProvider(resource=Resource({"service.name": "recorded"}))
    made.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(url())))
    if install:
        trace.set_tracer_provider(made)
    return made


def get_weather(city: str) -> str:
    return f"21 degrees and sunny in {city}"
