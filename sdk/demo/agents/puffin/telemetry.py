"""OpenTelemetry for all agents: who we are, which commit runs, where spans go."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from . import RELEASE

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = "puffin-and-pine/agents"


class CommitStamp(SpanProcessor):
    """Writes the repository and the running commit on every span."""

    def __init__(self) -> None:
        self.ref = _commit()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        span.set_attribute("traceroot.git.repo", REPOSITORY)
        if self.ref:
            span.set_attribute("traceroot.git.ref", self.ref)


def configure(
    service: str,
    exporter: SpanExporter | None = None,
    processors: Iterable[SpanProcessor] = (),
) -> TracerProvider:
    resource = Resource.create(
        {
            "service.name": service,
            "service.version": RELEASE,
            "deployment.environment.name": os.environ.get("PUFFIN_ENVIRONMENT", "production"),
        }
    )
    provider = TracerProvider(resource=resource)
    for processor in (CommitStamp(), *processors):
        provider.add_span_processor(processor)
    provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("PUFFIN_COMMIT", "")
