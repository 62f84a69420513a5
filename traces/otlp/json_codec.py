"""OTLP/JSON trace requests to raw spans.

Ids are hexadecimal in either case (base64 of the right length is understood too), 64-bit integers
strings or numbers, enumerations names or numbers; unknown fields are ignored and snake_case names
taken. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from traces.otlp import decoded
from traces.otlp import json_fields as fields
from traces.otlp.decoded import MAX_TIME_NS, Collector, Decoded, MalformedBody
from traces.otlp.decoded import MalformedSpan as Malformed
from traces.spans import (
    RawSpan,
    Resource,
    Scope,
    SpanEvent,
    SpanLink,
)

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_UINT32 = 2**32 - 1
_OTHER_SIGNALS = {"resourceLogs": "logs", "resourceMetrics": "metrics"}
_SPAN_KINDS = {
    "UNSPECIFIED": 0,
    "INTERNAL": 1,
    "SERVER": 2,
    "CLIENT": 3,
    "PRODUCER": 4,
    "CONSUMER": 5,
}
_STATUS_CODES = {"UNSET": 0, "OK": 1, "ERROR": 2}
_parse = msgspec.json.Decoder().decode


def decode(body: bytes) -> Decoded:
    """Raises MalformedBody when `body` is not a JSON trace request."""
    document = _parsed(body)
    if not isinstance(document, dict):
        raise MalformedBody(f"the body is a JSON {fields.type_name(document)}, not a trace request")
    document = fields.camel_cased(document)
    if document and "resourceSpans" not in document:
        raise MalformedBody(_describe_without_spans(document))
    collector = Collector()
    for resource_spans in fields.list_of(document, "resourceSpans", MalformedBody):
        _read_resource_spans(fields.camel_cased(resource_spans), collector)
    return collector.done()


def _parsed(body: bytes) -> Any:
    try:
        return _parse(body)
    except RecursionError:
        raise MalformedBody("the JSON is nested too deep") from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _parsed_leniently(body)


def _parsed_leniently(body: bytes) -> Any:
    """What strict JSON refuses but emitters send: invalid UTF-8, halves of surrogate pairs, NaN."""
    try:
        loose = json.loads(body.decode("utf-8-sig", "replace"))
        text = json.dumps(loose, ensure_ascii=False)
        return json.loads(_LONE_SURROGATE.sub("\ufffd", text))
    except RecursionError:
        raise MalformedBody("the JSON is nested too deep") from None
    except ValueError as error:
        raise MalformedBody(f"the body is not JSON: {error}") from None


def _describe_without_spans(document: dict[str, Any]) -> str:
    for name, signal in _OTHER_SIGNALS.items():
        if name in document:
            return f"this is a {signal} request; post it to /v1/{signal}"
    return "the body is JSON, but has no resourceSpans, so it is not an OTLP trace request"


def _read_resource_spans(group: dict[str, Any], collector: Collector) -> None:
    scopes = fields.list_of(group, "scopeSpans", MalformedBody)
    try:
        resource = decoded.resource(fields.attributes_of(fields.object_of(group, "resource")))
    except Malformed as error:
        for scope_spans in scopes:
            _reject_all(fields.camel_cased(scope_spans), f"its resource: {error}", collector)
        return
    for item in scopes:
        scope_spans = fields.camel_cased(item)
        try:
            scope = _scope(scope_spans)
        except Malformed as error:
            _reject_all(scope_spans, f"its scope: {error}", collector)
            continue
        for span in fields.list_of(scope_spans, "spans", MalformedBody):
            try:
                collector.spans.append(_span(span, resource, scope))
            except Malformed as error:
                collector.reject(_label(span), error)


def _reject_all(scope_spans: dict[str, Any], reason: str, collector: Collector) -> None:
    for span in fields.list_of(scope_spans, "spans", MalformedBody):
        collector.reject(_label(span), reason)


def _label(span: Any) -> str:
    if not isinstance(span, dict):
        return decoded.label("")
    return decoded.label(span.get("name"), str(span.get("spanId") or span.get("span_id") or ""))


def _scope(scope_spans: dict[str, Any]) -> Scope:
    scope = fields.object_of(scope_spans, "scope")
    return decoded.scope(
        fields.text_of(scope, "name"),
        fields.text_of(scope, "version"),
        fields.attributes_of(scope),
        fields.integer_of(scope, "droppedAttributesCount", _MAX_UINT32),
        fields.text_of(scope_spans, "schemaUrl"),
    )


def _span(item: Any, resource: Resource, scope: Scope) -> RawSpan:
    span = fields.camel_cased(item, Malformed)
    status = fields.object_of(span, "status")
    kind = fields.enumerated(span, "kind", "SPAN_KIND_", _SPAN_KINDS)
    return RawSpan(
        trace_id=decoded.checked_trace_id(fields.id_of(span, "traceId", 16)),
        span_id=decoded.checked_span_id(fields.id_of(span, "spanId", 8)),
        parent_span_id=decoded.checked_parent_id(fields.id_of(span, "parentSpanId", 8)),
        name=fields.text_of(span, "name"),
        otel_kind=kind if 0 <= kind < 256 else 0,
        start_ns=fields.integer_of(span, "startTimeUnixNano", MAX_TIME_NS),
        end_ns=fields.integer_of(span, "endTimeUnixNano", MAX_TIME_NS),
        status_code=fields.enumerated(status, "code", "STATUS_CODE_", _STATUS_CODES),
        status_message=fields.text_of(status, "message"),
        attributes=fields.attributes_of(span),
        events=[_event(event) for event in fields.list_of(span, "events")] or (),
        links=[_link(link) for link in fields.list_of(span, "links")] or (),
        trace_state=fields.text_of(span, "traceState"),
        flags=fields.integer_of(span, "flags", _MAX_UINT32),
        dropped_attributes=fields.integer_of(span, "droppedAttributesCount", _MAX_UINT32),
        dropped_events=fields.integer_of(span, "droppedEventsCount", _MAX_UINT32),
        dropped_links=fields.integer_of(span, "droppedLinksCount", _MAX_UINT32),
        resource=resource,
        scope=scope,
    )


def _event(item: Any) -> SpanEvent:
    event = fields.camel_cased(item, Malformed)
    time_ns = fields.integer_of(event, "timeUnixNano", MAX_TIME_NS)
    return SpanEvent(time_ns, fields.text_of(event, "name"), fields.attributes_of(event))


def _link(item: Any) -> SpanLink:
    link = fields.camel_cased(item, Malformed)
    return SpanLink(
        fields.id_of(link, "traceId", 16),
        fields.id_of(link, "spanId", 8),
        fields.text_of(link, "traceState"),
        fields.attributes_of(link),
    )
