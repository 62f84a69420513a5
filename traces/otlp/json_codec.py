"""OTLP/JSON requests to raw records.

Ids are hexadecimal in either case (base64 of the right length is understood too), 64-bit integers
strings or numbers, enumerations names or numbers; unknown fields are ignored and snake_case names
taken. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from traces.logs import RawLog
from traces.otlp import decoded, json_depth, json_metrics
from traces.otlp import json_fields as fields
from traces.otlp.decoded import MAX_TIME_NS, Collector, Decoded, MalformedBody
from traces.otlp.decoded import MalformedSpan as Malformed
from traces.otlp.deep_values import Lengths
from traces.otlp.signals import NAMES, Signal
from traces.spans import (
    RawSpan,
    Resource,
    Scope,
    SpanEvent,
    SpanLink,
)

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_UINT32 = 2**32 - 1
_SPAN_KINDS = {
    "UNSPECIFIED": 0,
    "INTERNAL": 1,
    "SERVER": 2,
    "CLIENT": 3,
    "PRODUCER": 4,
    "CONSUMER": 5,
}
_SEVERITIES = {"UNSPECIFIED": 0} | {
    f"{name}{step if step > 1 else ''}": 4 * rank + step
    for rank, name in enumerate(("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"))
    for step in range(1, 5)
}
_STATUS_CODES = {"UNSET": 0, "OK": 1, "ERROR": 2}
_LONGEST_INTEGER = 400
_TOO_LARGE = 10**400  # more than any field or double holds, and short enough to write and read
_parse = msgspec.json.Decoder().decode


def decode(body: bytes, signal: Signal = "traces") -> Decoded[Any]:
    """Raises MalformedBody when `body` is not a JSON request of the signal."""
    names = NAMES[signal]
    document = _parsed(body)
    if not isinstance(document, dict):
        raise MalformedBody(f"the body is {fields.described(document)}, not a {_called(signal)}")
    document = fields.camel_cased(document)
    if document and names.groups not in document:
        raise MalformedBody(_describe_other(document, signal))
    collector = Collector[Any](names.record)
    for group in fields.list_of(document, names.groups, MalformedBody):
        _read_group(fields.camel_cased(group), collector, signal)
    return collector.done()


def _parsed(body: bytes) -> Any:
    try:
        return _read(body)
    except RecursionError:
        return _read(json_depth.cut(body))


def _read(body: bytes) -> Any:
    try:
        return _parse(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _read_leniently(body)


def _read_leniently(body: bytes) -> Any:
    """What strict JSON refuses but emitters send: invalid UTF-8, halves of surrogate pairs, NaN,
    and integers of thousands of digits, which cost their span alone.
    """
    try:
        loose = json.loads(body.decode("utf-8-sig", "replace"), parse_int=_integer)
        text = json.dumps(loose, ensure_ascii=False)
        return json.loads(_LONE_SURROGATE.sub("\ufffd", text), parse_int=_integer)
    except ValueError as error:
        raise MalformedBody(f"the body is not JSON: {error}") from None


def _integer(digits: str) -> int:
    if len(digits) <= _LONGEST_INTEGER:
        return int(digits)
    return -_TOO_LARGE if digits[0] == "-" else _TOO_LARGE


def _called(signal: Signal) -> str:
    return "trace request" if signal == "traces" else f"{signal} request"


def _describe_other(document: dict[str, Any], signal: Signal) -> str:
    for other, names in NAMES.items():
        if names.groups in document:
            return f"this is a {_called(other)}; post it to /v1/{other}"
    return (
        f"the body is JSON, but has no {NAMES[signal].groups}, "
        f"so it is not an OTLP {_called(signal)}"
    )


def _read_group(group: dict[str, Any], collector: Collector[Any], signal: Signal) -> None:
    names, read = NAMES[signal], _READERS[signal]
    scopes = fields.list_of(group, names.scopes, MalformedBody)
    cut: Lengths = {}
    try:
        resource = _resource(group, cut)
    except Malformed as error:
        for item in map(fields.camel_cased, scopes):
            _reject_all(item, names.records, f"its resource: {error}", collector)
        return
    for item in scopes:
        scope_group = fields.camel_cased(item)
        cut_here = dict(cut)
        try:
            scope = _scope(scope_group, cut_here)
        except Malformed as error:
            _reject_all(scope_group, names.records, f"its scope: {error}", collector)
            continue
        for record in fields.list_of(scope_group, names.records, MalformedBody):
            try:
                collector.records.append(read(record, resource, scope, cut_here.copy()))
            except Malformed as error:
                collector.reject(_label(record), error)


def _reject_all(
    scope_group: dict[str, Any], records: str, reason: str, collector: Collector[Any]
) -> None:
    for record in fields.list_of(scope_group, records, MalformedBody):
        collector.reject(_label(record), reason)


def _label(record: Any) -> str:
    if not isinstance(record, dict):
        return decoded.label("")
    name = record.get("name") or record.get("eventName")
    span_id = record.get("spanId") or record.get("span_id")
    return decoded.label(
        name if isinstance(name, str) else "", span_id if isinstance(span_id, str) else ""
    )


def _resource(group: dict[str, Any], cut: Lengths) -> Resource:
    sent = fields.object_of(group, "resource")
    return decoded.resource(fields.attributes_of(sent, "resource", cut))


def _scope(scope_group: dict[str, Any], cut: Lengths) -> Scope:
    scope = fields.object_of(scope_group, "scope")
    return decoded.scope(
        fields.text_of(scope, "name"),
        fields.text_of(scope, "version"),
        fields.attributes_of(scope, "scope", cut),
        fields.integer_of(scope, "droppedAttributesCount", _MAX_UINT32),
        fields.text_of(scope_group, "schemaUrl"),
    )


def _span(item: Any, resource: Resource, scope: Scope, cut: Lengths) -> RawSpan:
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
        status_code=fields.enumerated(status, "code", "STATUS_CODE_", _STATUS_CODES, "status."),
        status_message=fields.text_of(status, "message", "status."),
        attributes=fields.attributes_of(span, "attributes", cut),
        events=fields.each(span, "events", lambda event: _event(event, cut)) or (),
        links=fields.each(span, "links", lambda link: _link(link, cut)) or (),
        trace_state=fields.text_of(span, "traceState"),
        flags=fields.integer_of(span, "flags", _MAX_UINT32),
        dropped_attributes=fields.integer_of(span, "droppedAttributesCount", _MAX_UINT32),
        dropped_events=fields.integer_of(span, "droppedEventsCount", _MAX_UINT32),
        dropped_links=fields.integer_of(span, "droppedLinksCount", _MAX_UINT32),
        resource=resource,
        scope=scope,
        cut=cut,
    )


def _event(item: Any, cut: Lengths) -> SpanEvent:
    event = fields.camel_cased(item, Malformed)
    return SpanEvent(
        fields.integer_of(event, "timeUnixNano", MAX_TIME_NS),
        fields.text_of(event, "name"),
        fields.attributes_of(event, "events.attributes", cut),
    )


def _link(item: Any, cut: Lengths) -> SpanLink:
    link = fields.camel_cased(item, Malformed)
    return SpanLink(
        fields.id_of(link, "traceId", 16),
        fields.id_of(link, "spanId", 8),
        fields.text_of(link, "traceState"),
        fields.attributes_of(link, "links.attributes", cut),
    )


def _log(item: Any, resource: Resource, scope: Scope, cut: Lengths) -> RawLog:
    record = fields.camel_cased(item, Malformed)
    return RawLog(
        trace_id=_id_or_none(record, "traceId", 16),
        span_id=_id_or_none(record, "spanId", 8),
        time_ns=fields.integer_of(record, "timeUnixNano", MAX_TIME_NS),
        observed_ns=fields.integer_of(record, "observedTimeUnixNano", MAX_TIME_NS),
        severity_number=fields.enumerated(
            record, "severityNumber", "SEVERITY_NUMBER_", _SEVERITIES
        ),
        severity_text=fields.text_of(record, "severityText"),
        event_name=fields.text_of(record, "eventName"),
        body=fields.value_of(record, "body", cut),
        attributes=fields.attributes_of(record, "attributes", cut),
        flags=fields.integer_of(record, "flags", _MAX_UINT32),
        dropped_attributes=fields.integer_of(record, "droppedAttributesCount", _MAX_UINT32),
        resource=resource,
        scope=scope,
    )


def _id_or_none(record: dict[str, Any], key: str, length: int) -> bytes:
    try:
        return decoded.id_or_none(fields.id_of(record, key, length), length)
    except Malformed:
        return b""  # such a record belongs to no trace (OTLP, logs.proto)


_READERS: Mapping[Signal, Callable[[Any, Resource, Scope, Lengths], Any]] = {
    "traces": _span,
    "logs": _log,
    "metrics": json_metrics.metric,
}
