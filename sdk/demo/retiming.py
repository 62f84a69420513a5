"""Moves finished spans in time: runs that happened just now, and fast, look like runs of yesterday.

Each trace is shifted so that it starts at a chosen moment, and stretched by a factor because the
scripted model answered faster than a real one. Order, nesting and proportions stay as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


@dataclass(frozen=True, slots=True)
class Shift:
    """A real moment and the one shown in its place, ns; `stretch` is shown time per real time."""

    real_ns: int
    shown_ns: int
    stretch: float

    def move(self, time_ns: int) -> int:
        return self.shown_ns + round((time_ns - self.real_ns) * self.stretch)


class Retiming(SpanProcessor):
    """Notes when each trace really starts, and where it is to be shown."""

    def __init__(self, stretch: float) -> None:
        self.stretch = stretch
        self.shown_ns = 0
        """Where the next trace is to start."""
        self._shifts: dict[int, Shift] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        context = span.get_span_context()
        if context is not None and context.trace_id not in self._shifts:
            real_ns = span.start_time or 0
            self._shifts[context.trace_id] = Shift(real_ns, self.shown_ns, self.stretch)

    def retimed(self, span: ReadableSpan) -> ReadableSpan:
        """A copy of `span` with its start, end and events moved."""
        context = span.get_span_context()
        if context is None:
            return span
        shift = self._shifts[context.trace_id]
        return ReadableSpan(
            name=span.name,
            context=context,
            parent=span.parent,
            resource=span.resource,
            attributes=span.attributes,
            events=[
                Event(event.name, event.attributes, shift.move(event.timestamp))
                for event in span.events
            ],
            links=span.links,
            kind=span.kind,
            status=span.status,
            start_time=shift.move(span.start_time or 0),
            end_time=shift.move(span.end_time or 0),
            instrumentation_scope=span.instrumentation_scope,
        )


class RetimedExporter(SpanExporter):
    """Hands moved copies of the spans to another exporter."""

    def __init__(self, retiming: Retiming, exporter: SpanExporter) -> None:
        self._retiming = retiming
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([self._retiming.retimed(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return bool(self._exporter.force_flush(timeout_millis))
