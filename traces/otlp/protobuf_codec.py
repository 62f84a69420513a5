"""Protobuf trace requests to raw spans. The hot path: each attribute is touched once.

Protobuf's parser refuses a whole request for one invalid UTF-8 string or one broken span; such a
request is first made readable by `wire_repair` and then read here like any other.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from traces.otlp import decoded, wire_repair
from traces.otlp.decoded import MAX_DEPTH, Collector, Decoded, MalformedBody, MalformedSpan
from traces.spans import (
    Attributes,
    AttributeValue,
    RawSpan,
    Resource,
    Scope,
    SpanEvent,
    SpanLink,
)


def decode(body: bytes) -> Decoded:
    """Raises MalformedBody when `body` is not a protobuf trace request."""
    collector = Collector()
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        request = _repaired(body, error, collector)
    for resource_spans in request.resource_spans:
        _read_resource_spans(resource_spans, collector)
    return collector.done()


def _repaired(body: bytes, error: DecodeError, collector: Collector) -> ExportTraceServiceRequest:
    try:
        readable = wire_repair.repair(body, lambda what, why: collector.reject(what, why))
        return ExportTraceServiceRequest.FromString(readable)
    except (wire_repair.BrokenWire, DecodeError):
        raise MalformedBody(f"the body is not a protobuf trace request: {error}") from error


def _read_resource_spans(resource_spans: Any, collector: Collector) -> None:
    try:
        resource = decoded.resource(_attributes(resource_spans.resource.attributes))
    except MalformedSpan as error:
        for scope_spans in resource_spans.scope_spans:
            _reject_all(scope_spans.spans, f"its resource: {error}", collector)
        return
    for scope_spans in resource_spans.scope_spans:
        try:
            scope = _scope(scope_spans)
        except MalformedSpan as error:
            _reject_all(scope_spans.spans, f"its scope: {error}", collector)
            continue
        append = collector.spans.append
        for span in scope_spans.spans:
            try:
                append(_span(span, resource, scope))
            except MalformedSpan as error:
                collector.reject(decoded.label(span.name, span.span_id), error)


def _reject_all(spans: Any, reason: str, collector: Collector) -> None:
    for span in spans:
        collector.reject(decoded.label(span.name, span.span_id), reason)


def _scope(scope_spans: Any) -> Scope:
    scope = scope_spans.scope
    return decoded.scope(
        scope.name,
        scope.version,
        _attributes(scope.attributes),
        scope.dropped_attributes_count,
        scope_spans.schema_url,
    )


def _span(span: Any, resource: Resource, scope: Scope) -> RawSpan:
    parent = span.parent_span_id
    events, links, status = span.events, span.links, span.status
    return RawSpan(
        trace_id=decoded.checked_trace_id(span.trace_id),
        span_id=decoded.checked_span_id(span.span_id),
        parent_span_id=decoded.checked_parent_id(parent) if parent else b"",
        name=span.name,
        otel_kind=span.kind if 0 <= span.kind < 256 else 0,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        status_code=status.code,
        status_message=status.message,
        attributes=_attributes(span.attributes),
        events=[_event(event) for event in events] if events else (),
        links=[_link(link) for link in links] if links else (),
        trace_state=span.trace_state,
        flags=span.flags,
        dropped_attributes=span.dropped_attributes_count,
        dropped_events=span.dropped_events_count,
        dropped_links=span.dropped_links_count,
        resource=resource,
        scope=scope,
    )


def _event(event: Any) -> SpanEvent:
    return SpanEvent(event.time_unix_nano, event.name, _attributes(event.attributes))


def _link(link: Any) -> SpanLink:
    return SpanLink(
        decoded.checked_link_id(link.trace_id, 16),
        decoded.checked_link_id(link.span_id, 8),
        link.trace_state,
        _attributes(link.attributes),
    )


def _attributes(key_values: Any, depth: int = 0) -> Attributes:
    attributes: Attributes = {}
    for key_value in key_values:
        value = key_value.value
        # Most attributes are text, and this reads them with one call instead of two.
        attributes[key_value.key] = value.string_value or _value(value, depth)
    return attributes


def _value(value: Any, depth: int) -> AttributeValue:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        _check_depth(depth)
        return [_value(item, depth + 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        _check_depth(depth)
        return _attributes(value.kvlist_value.values, depth + 1)
    content: AttributeValue = getattr(value, kind)
    return content


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise MalformedSpan(f"an attribute is nested deeper than {MAX_DEPTH} levels")
