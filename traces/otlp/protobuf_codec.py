"""Protobuf requests to raw records. The hot path: each attribute is touched once.

Protobuf's parser refuses a whole request for one invalid UTF-8 string or one broken record; such a
request is first made readable by `wire_repair` and then read here like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from traces.logs import RawLog
from traces.otlp import decoded, protobuf_metrics, protobuf_values, wire_repair
from traces.otlp.decoded import Collector, Decoded, MalformedBody, MalformedSpan
from traces.otlp.deep_values import Lengths
from traces.otlp.signals import NAMES, Signal
from traces.spans import RawSpan, Resource, Scope, SpanEvent, SpanLink

_attributes = protobuf_values.attributes


@dataclass(frozen=True, slots=True)
class _Reader:
    """How a signal's messages are taken apart."""

    request: Any
    groups: Callable[[Any], Any]
    scopes: Callable[[Any], Any]
    records: Callable[[Any], Any]
    read: Callable[[Any, Resource, Scope, Lengths], Any]
    """The last takes what was cut of the record; it comes with what was of the first two."""
    label: Callable[[Any], str]


def decode(body: bytes, signal: Signal = "traces") -> Decoded[Any]:
    """Raises MalformedBody when `body` is not a protobuf request of the signal."""
    reader = _READERS[signal]
    collector = Collector[Any](NAMES[signal].record)
    try:
        request = reader.request.FromString(body)
    except DecodeError as error:
        request = _repaired(body, error, collector, reader, signal)
    for group in reader.groups(request):
        _read_group(group, collector, reader)
    return collector.done()


def _repaired(
    body: bytes, error: DecodeError, collector: Collector[Any], reader: _Reader, signal: Signal
) -> Any:
    try:
        readable = wire_repair.repair(
            body, lambda what, why: collector.reject(what, why), reader.request.DESCRIPTOR
        )
        return reader.request.FromString(readable)
    except (wire_repair.BrokenWire, DecodeError):
        noun = signal.removesuffix("s") if signal == "traces" else signal
        raise MalformedBody(f"the body is not a protobuf {noun} request: {error}") from error


def _read_group(group: Any, collector: Collector[Any], reader: _Reader) -> None:
    cut: Lengths = {}
    resource = decoded.resource(_attributes(group.resource.attributes, "resource", cut))
    for scope_group in reader.scopes(group):
        cut_here = dict(cut)
        scope = _scope(scope_group, cut_here)
        append, read = collector.records.append, reader.read
        for record in reader.records(scope_group):
            try:
                append(read(record, resource, scope, cut_here.copy()))
            except MalformedSpan as error:
                collector.reject(reader.label(record), error)


def _scope(scope_group: Any, cut: Lengths) -> Scope:
    scope = scope_group.scope
    return decoded.scope(
        scope.name,
        scope.version,
        _attributes(scope.attributes, "scope", cut),
        scope.dropped_attributes_count,
        scope_group.schema_url,
    )


def _span(span: Any, resource: Resource, scope: Scope, cut: Lengths) -> RawSpan:
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
        attributes=_attributes(span.attributes, "attributes", cut),
        events=[_event(event, cut) for event in events] if events else (),
        links=[_link(link, cut) for link in links] if links else (),
        trace_state=span.trace_state,
        flags=span.flags,
        dropped_attributes=span.dropped_attributes_count,
        dropped_events=span.dropped_events_count,
        dropped_links=span.dropped_links_count,
        resource=resource,
        scope=scope,
        cut=cut,
    )


def _event(event: Any, cut: Lengths) -> SpanEvent:
    attributes = _attributes(event.attributes, "events.attributes", cut)
    return SpanEvent(event.time_unix_nano, event.name, attributes)


def _link(link: Any, cut: Lengths) -> SpanLink:
    return SpanLink(
        decoded.checked_link_id(link.trace_id, 16),
        decoded.checked_link_id(link.span_id, 8),
        link.trace_state,
        _attributes(link.attributes, "links.attributes", cut),
    )


def _log(record: Any, resource: Resource, scope: Scope, cut: Lengths) -> RawLog:
    return RawLog(
        trace_id=decoded.id_or_none(record.trace_id, 16),
        span_id=decoded.id_or_none(record.span_id, 8),
        time_ns=record.time_unix_nano,
        observed_ns=record.observed_time_unix_nano,
        severity_number=record.severity_number,
        severity_text=record.severity_text,
        event_name=record.event_name,
        body=protobuf_values.value_of(record.body, "body", cut),
        attributes=_attributes(record.attributes, "attributes", cut),
        flags=record.flags,
        dropped_attributes=record.dropped_attributes_count,
        resource=resource,
        scope=scope,
    )


_READERS: Mapping[Signal, _Reader] = {
    "traces": _Reader(
        ExportTraceServiceRequest,
        attrgetter("resource_spans"),
        attrgetter("scope_spans"),
        attrgetter("spans"),
        _span,
        lambda span: decoded.label(span.name, span.span_id),
    ),
    "logs": _Reader(
        ExportLogsServiceRequest,
        attrgetter("resource_logs"),
        attrgetter("scope_logs"),
        attrgetter("log_records"),
        _log,
        lambda record: decoded.label(record.event_name),
    ),
    "metrics": _Reader(
        ExportMetricsServiceRequest,
        attrgetter("resource_metrics"),
        attrgetter("scope_metrics"),
        attrgetter("metrics"),
        protobuf_metrics.metric,
        lambda metric: decoded.label(metric.name),
    ),
}
