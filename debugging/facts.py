"""Turns the stored spans of a trace into what the rule pass reads, and nothing else.

Also says which spans findings point at, so that a failure that no span reports is looked at too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from debugging.rule_pass import ExceptionFact, SpanFacts, TraceFacts
from detectors.models import Finding
from traces.spans import Attributes, Span
from traces.store.reader import SpanReader
from traces.store.rows import TraceSummary

SPAN_LIMIT = 10_000
_TEXT_LIMIT = 400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NoSuchTrace(Exception):
    """The project has no trace of this id."""


def read(project_id: UUID, trace_id: bytes) -> TraceFacts:
    """Raises NoSuchTrace and the store's errors."""
    reader = SpanReader(project_id)
    summary = reader.trace(trace_id)
    if summary is None:
        raise NoSuchTrace("This trace is not in the store any more.")
    return of_spans(summary, reader.spans(trace_id, limit=SPAN_LIMIT))


def of_spans(summary: TraceSummary, spans: Sequence[Span]) -> TraceFacts:
    return TraceFacts(
        trace_id=summary.trace_id.hex(),
        started_at=_instant(summary.start_ns),
        git_repo=summary.git_repo or _first(span.git_repo for span in spans),
        git_ref=summary.git_ref or _first(span.git_ref for span in spans),
        release=summary.release or _first(span.release for span in spans),
        spans=tuple(_span(span) for span in spans),
    )


def focus(project_id: UUID, trace_id: bytes) -> tuple[str, ...]:
    """Spans that findings of the trace name as evidence, those people confirmed first."""
    findings = (
        Finding.objects.for_project(project_id)
        .of_trace(trace_id.hex())
        .exclude(status=Finding.Status.DISMISSED)
        .order_by("status", "-confidence", "id")
        .prefetch_related("evidence")
    )
    found: list[str] = []
    for finding in findings:
        found += [finding.span_id, *(one.span_id for one in finding.evidence.all())]
    return tuple(dict.fromkeys(span_id for span_id in found if span_id))


def _span(span: Span) -> SpanFacts:
    return SpanFacts(
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex() or None,
        name=span.name,
        kind=span.kind,
        status=span.status.upper(),
        error_type=span.error_type or None,
        status_message=span.status_message or span.error_message or None,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        exceptions=_exceptions(span),
        git_source_file=span.git_source_file or None,
        git_source_line=span.git_source_line or None,
        git_source_function=span.git_source_function or None,
        tool_name=span.tool_name or None,
        agent_name=span.agent_name or None,
        input=span.input[:_TEXT_LIMIT] or None,
        output=span.output[:_TEXT_LIMIT] or None,
        attributes=_code_attributes(span.attributes),
    )


def _exceptions(span: Span) -> tuple[ExceptionFact, ...]:
    found = [
        ExceptionFact(
            _text(event.attributes, "exception.type"),
            _text(event.attributes, "exception.message"),
            _text(event.attributes, "exception.stacktrace"),
        )
        for event in span.events
        if event.name == "exception"
    ]
    return tuple(dict.fromkeys(found))


def _code_attributes(attributes: Attributes) -> dict[str, str | int | float | bool]:
    return {
        name: value
        for name, value in attributes.items()
        if name.startswith("code.") and isinstance(value, str | int | float | bool)
    }


def _text(attributes: Attributes, name: str) -> str:
    value = attributes.get(name)
    return value[:_TEXT_LIMIT] if isinstance(value, str) else ""


def _first(values: Iterable[str]) -> str | None:
    return next((value for value in values if value), None)


def _instant(nanoseconds: int) -> datetime:
    """Emitters send any time; what no calendar holds becomes the epoch."""
    try:
        return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
    except (ValueError, OverflowError, OSError):
        return _EPOCH
