"""What a log record says by the conventions: it is read as a span of no length with one event.

At ingest that gives what lists and filters want; everything else is derived when somebody reads the
record, and so are the messages that a span's own log records carry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from traces.logs import Log, RawLog, content_id
from traces.otlp import decoded, json_values
from traces.semconv import events, messages, normalize, normalized, reading, registry
from traces.spans import Attributes, AttributeValue, RawSpan, Span, SpanEvent

# https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
_LEVELS = ((21, "fatal"), (17, "error"), (13, "warn"), (9, "info"), (5, "debug"), (1, "trace"))
_FAILED = 17
_NO_SUCCESS = (False, "false")
_NOT_OF_A_RECORD = frozenset({"end_time", "parent_span_id", "system", "status"})
_SIDES = ("input", "output")


def of(raws: Iterable[RawLog], *, project_id: UUID, received_ns: int) -> list[Log]:
    """Records of one request, in their order; of those that are equal, one."""
    found: dict[bytes, Log] = {}
    for raw in raws:
        log_id = content_id(raw)
        if log_id not in found:
            found[log_id] = _log(raw, log_id, project_id, received_ns)
    return list(found.values())


def as_span(log: Log) -> Span:
    """The record as the conventions read it."""
    scope: dict[str, Any] = reading.parsed_json(log.scope_json) or {}
    raw = RawLog(
        trace_id=log.trace_id,
        span_id=log.span_id,
        time_ns=log.time_ns,
        observed_ns=log.observed_ns,
        severity_number=log.severity_number,
        severity_text=log.severity_text,
        event_name=log.event_name,
        body=log.body,
        attributes=log.attributes,
        flags=log.flags,
        dropped_attributes=log.dropped_attributes,
        resource=decoded.resource(json_values.values_from_json(log.resource_json)),
        scope=decoded.scope(scope.get("name", ""), scope.get("version", ""), {}),
    )
    return _read(raw, log.project_id, log.received_ns)


def fields(log: Log) -> dict[str, Any]:
    """The fields that every product names alike, as `normalized.of` gives them of a span."""
    read = normalized.of(as_span(log))
    found = {name: value for name, value in read.items() if name not in _NOT_OF_A_RECORD}
    if found.get("kind") == "span":
        del found["kind"]
    found["start_time"] = normalized.moment(log.at_ns)
    if level := level_of(log):
        found["level"] = level
    return found


def level_of(log: Log) -> str:
    """One of OpenTelemetry's levels, else the emitter's own word."""
    number = log.severity_number
    named = next((name for least, name in _LEVELS if number >= least), "")
    return named or log.severity_text.lower()


def completed(span: Span, logs: Sequence[Log]) -> Span:
    """The span with the messages of its log records, on a side where it has none of its own."""
    own = messages.sent(span)
    wanted = [side for side in _SIDES if not getattr(span, side) and not getattr(own, side)]
    if not wanted or not logs:
        return span
    read = [as_span(log) for log in sorted(logs, key=lambda log: (log.at_ns, log.log_id))]
    said = [event for one in read for event in one.events]
    filled: dict[str, Any] = {}
    sources = dict(span.sources)
    for side in wanted:
        text, source = events.messages(said, "input" if side == "input" else "output")
        if not text:
            text, source = _first_text(span, read, side)
        if text:
            filled[side], sources[side] = text, f"log:{source.removeprefix('event:')}"
    return replace(span, **filled, sources=sources) if filled else span


def _first_text(span: Span, read: Sequence[Span], side: str) -> tuple[str, str]:
    """Of records about what the span itself is: a turn is not what one of its tools was asked."""
    for one in read:
        text: str = getattr(one, side)
        if text and one.kind in ("span", span.kind):
            return text, one.name or "body"
    return "", ""


def _log(raw: RawLog, log_id: bytes, project_id: UUID, received_ns: int) -> Log:
    read = _read(raw, project_id, received_ns)
    return Log(
        project_id=project_id,
        log_id=log_id,
        trace_id=raw.trace_id,
        span_id=raw.span_id,
        time_ns=raw.time_ns,
        observed_ns=raw.observed_ns,
        received_ns=received_ns,
        event_name=raw.name,
        severity_number=raw.severity_number,
        severity_text=raw.severity_text,
        body=raw.body,
        attributes=raw.attributes,
        flags=raw.flags,
        dropped_attributes=raw.dropped_attributes,
        resource_json=raw.resource.json,
        scope_json=raw.scope.json,
        kind="" if read.kind == "span" else read.kind,
        convention=read.convention,
        model=read.model,
        agent_name=read.agent_name,
        tool_name=read.tool_name,
        session_id=read.session_id,
        user_id=read.user_id,
        environment=read.environment,
        release=read.release,
        service_name=read.service_name,
    )


def _read(raw: RawLog, project_id: UUID, received_ns: int) -> Span:
    content = _content(raw.body)
    at_ns = raw.time_ns or raw.observed_ns or received_ns
    failed = raw.severity_number >= _FAILED or raw.attributes.get("success") in _NO_SUCCESS
    span = normalize.span(
        RawSpan(
            trace_id=raw.trace_id,
            span_id=raw.span_id,
            parent_span_id=b"",
            name=raw.name,
            otel_kind=0,
            start_ns=at_ns,
            end_ns=at_ns,
            status_code=2 if failed else 0,
            status_message="",
            # The names of attributes have dots; a message's own have none.
            attributes={**{k: v for k, v in content.items() if "." in k}, **raw.attributes},
            events=_events(raw, content, at_ns),
            links=(),
            trace_state="",
            flags=raw.flags,
            dropped_attributes=0,
            dropped_events=0,
            dropped_links=0,
            resource=raw.resource,
            scope=raw.scope,
        ),
        project_id=project_id,
        received_ns=received_ns,
        spoken=registry.log_dialect(raw.scope.name, raw.name),
    )
    return _with_body(span, raw)


def _content(body: AttributeValue) -> Attributes:
    """A body that is an object, or the JSON of one."""
    if isinstance(body, str) and body[:1] == "{":
        body = reading.parsed_json(body)
    return body if isinstance(body, dict) else {}


def _events(raw: RawLog, content: Attributes, at_ns: int) -> tuple[SpanEvent, ...]:
    """The record as a span's event would be, where it carries messages."""
    if raw.name in events.WHOLE_CONVERSATIONS:
        return (SpanEvent(at_ns, raw.name, {**raw.attributes, **content}),)
    if raw.name in events.SINGLE_MESSAGES:
        said = content or {k: v for k, v in raw.attributes.items() if "." not in k}
        return (SpanEvent(at_ns, raw.name, said),)
    return ()


def _with_body(span: Span, raw: RawLog) -> Span:
    """With the field that the body's beginning says its rest to be."""
    if isinstance(raw.body, str):
        for beginning, side in registry.LOG_BODIES:
            rest = raw.body.removeprefix(beginning)
            if rest != raw.body and rest.strip() and not getattr(span, side):
                setattr(span, side, rest)
                span.sources = {**span.sources, side: "body"}
    return span
