"""Requests of any structure, as Hypothesis strategies; each is written as protobuf and as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.fuzz import names
from traces.otlp import json_values
from traces.otlp.decoded import MAX_DEPTH
from traces.spans import AttributeValue

EXAMPLES = int(os.environ.get("TRACEROOT_FUZZ_EXAMPLES", "150"))
"""Of each property: `make soak` asks for more."""

Pairs = Sequence[tuple[str, AttributeValue]]
"""Attributes as they are sent: a name may be there twice."""

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_TIMES = st.sampled_from(
    [0, 1, 1_000, 1_767_323_045_123_456_789, 2**63 - 1, 2**63, 2**64 - 1, 253_402_300_800]
) | st.integers(0, 2**64 - 1)
_UINT32 = st.sampled_from([0, 1, 0x100, 0x300, 2**32 - 1])
_ENUMS = st.integers(0, 5) | st.sampled_from([-(2**31), -1, 6, 24, 25, 255, 256, 2**31 - 1])
# Not the lengths whose hexadecimal is as long as base64 of a good id.
_TRACE_IDS = st.binary(min_size=16, max_size=16) | st.sampled_from(
    [b"", bytes(16), b"\xff" * 16, b"x" * 8, b"x" * 15, b"x" * 17]
)
_SPAN_IDS = st.binary(min_size=8, max_size=8) | st.sampled_from(
    [b"", bytes(8), b"\xff" * 8, b"x" * 4, b"x" * 7, b"x" * 16]
)
_PLAIN_VALUES: st.SearchStrategy[AttributeValue] = (
    st.sampled_from(names.VALUES)
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | _TEXT
    | st.binary(max_size=9)
)
_NESTED_VALUES: st.SearchStrategy[AttributeValue] = st.recursive(
    _PLAIN_VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def _deep_values(draw: st.DrawFn) -> AttributeValue:
    """On both sides of the limit."""
    value: AttributeValue = draw(_PLAIN_VALUES)
    for _ in range(draw(st.integers(MAX_DEPTH - 2, MAX_DEPTH + 6))):
        value = [value] if draw(st.booleans()) else {"a": value}
    return value


_VALUES = st.sampled_from(names.VALUES) | _NESTED_VALUES
_RARELY_DEEP = st.one_of(*[_VALUES] * 9, _deep_values())


def _drawn_pairs(known: Sequence[str]) -> st.SearchStrategy[Pairs]:
    name = st.sampled_from(known) | st.sampled_from(names.ALL) | _TEXT
    return st.lists(st.tuples(name, _RARELY_DEEP), max_size=10)


@dataclass(frozen=True)
class Request:
    """Records as the fields that protobuf gives them, ids and times and all."""

    resource: Pairs
    scope_name: str
    scope: Pairs
    records: list[dict[str, Any]]

    def with_ids(self, ids: Callable[[int], bytes]) -> Request:
        """The same with good ids of its own for each span."""
        told = [
            {**one, "trace_id": b"t" * 16, "span_id": ids(number), "links": []}
            for number, one in enumerate(self.records, 1)
        ]
        return Request(self.resource, self.scope_name, self.scope, told)


@st.composite
def trace_requests(draw: st.DrawFn) -> Request:
    """Spans of one convention mostly, some of whose names are filled with anything."""
    pairs = _drawn_pairs(names.BY_CONVENTION[draw(st.sampled_from(sorted(names.BY_CONVENTION)))])
    events = st.fixed_dictionaries(
        {"time": _TIMES, "name": st.sampled_from(names.EVENT_NAMES) | _TEXT, "pairs": pairs}
    )
    links = st.fixed_dictionaries(
        {"trace_id": _TRACE_IDS, "span_id": _SPAN_IDS, "state": _TEXT, "pairs": pairs}
    )
    spans = st.fixed_dictionaries(
        {
            "trace_id": _TRACE_IDS,
            "span_id": _SPAN_IDS,
            "parent": st.just(b"") | _SPAN_IDS,
            "name": st.sampled_from(names.SPAN_NAMES) | _TEXT,
            "kind": _ENUMS,
            "start": _TIMES,
            "end": _TIMES,
            "code": _ENUMS,
            "message": _TEXT,
            "state": _TEXT,
            "flags": _UINT32,
            "dropped": _UINT32,
            "pairs": pairs,
            "events": st.lists(events, max_size=2),
            "links": st.lists(links, max_size=1),
        }
    )
    return _request(draw, pairs, spans)


@st.composite
def log_requests(draw: st.DrawFn) -> Request:
    pairs = _drawn_pairs(names.BY_CONVENTION[draw(st.sampled_from(sorted(names.BY_CONVENTION)))])
    records = st.fixed_dictionaries(
        {
            "trace_id": _TRACE_IDS,
            "span_id": _SPAN_IDS,
            "event": st.sampled_from(names.EVENT_NAMES) | _TEXT,
            "time": _TIMES.filter(bool),
            "observed": _TIMES,
            "severity": _ENUMS,
            "said": _TEXT,
            "flags": _UINT32,
            "body": _RARELY_DEEP,
            "pairs": pairs,
        }
    )
    return _request(draw, pairs, records)


def _request(draw: st.DrawFn, pairs: Any, records: Any) -> Request:
    # A deep value of the resource costs every record: seldom enough to see the others.
    resource = draw(st.lists(st.tuples(st.sampled_from(names.ALL), _VALUES), max_size=3))
    scope = draw(st.sampled_from(names.SCOPES))
    return Request(resource, scope, resource, draw(st.lists(records, min_size=1, max_size=3)))


# --- protobuf -----------------------------------------------------------------------------------


def traces_protobuf(request: Request) -> bytes:
    made = ExportTraceServiceRequest()
    group = made.resource_spans.add()
    _fill(group.resource.attributes, request.resource)
    scope = group.scope_spans.add()
    scope.scope.name = request.scope_name
    _fill(scope.scope.attributes, request.scope)
    for record in request.records:
        span: Any = scope.spans.add(
            trace_id=record["trace_id"],
            span_id=record["span_id"],
            parent_span_id=record["parent"],
            name=record["name"],
            kind=record["kind"],
            start_time_unix_nano=record["start"],
            end_time_unix_nano=record["end"],
            trace_state=record["state"],
            flags=record["flags"],
            dropped_attributes_count=record["dropped"],
        )
        span.status.code, span.status.message = record["code"], record["message"]
        _fill(span.attributes, record["pairs"])
        for event in record["events"]:
            added = span.events.add(time_unix_nano=event["time"], name=event["name"])
            _fill(added.attributes, event["pairs"])
        for link in record["links"]:
            linked = span.links.add(trace_id=link["trace_id"], span_id=link["span_id"])
            linked.trace_state = link["state"]
            _fill(linked.attributes, link["pairs"])
    return made.SerializeToString()


def logs_protobuf(request: Request) -> bytes:
    made = ExportLogsServiceRequest()
    group = made.resource_logs.add()
    _fill(group.resource.attributes, request.resource)
    scope = group.scope_logs.add()
    scope.scope.name = request.scope_name
    _fill(scope.scope.attributes, request.scope)
    for record in request.records:
        log: Any = scope.log_records.add(
            trace_id=record["trace_id"],
            span_id=record["span_id"],
            event_name=record["event"],
            time_unix_nano=record["time"],
            observed_time_unix_nano=record["observed"],
            severity_number=record["severity"],
            severity_text=record["said"],
            flags=record["flags"],
        )
        _set(log.body, record["body"])
        _fill(log.attributes, record["pairs"])
    return made.SerializeToString()


def _fill(key_values: Any, pairs: Pairs) -> None:
    for key, value in pairs:
        _set(key_values.add(key=key).value, value)


_FIELDS = {bool: "bool_value", int: "int_value", float: "double_value", bytes: "bytes_value"}


def _set(target: Any, value: AttributeValue) -> None:
    if isinstance(value, list):
        target.array_value.SetInParent()
        for item in value:
            _set(target.array_value.values.add(), item)
    elif isinstance(value, dict):
        target.kvlist_value.SetInParent()
        _fill(target.kvlist_value.values, list(value.items()))
    elif value is not None:
        setattr(target, _FIELDS.get(type(value), "string_value"), value)


# --- JSON ---------------------------------------------------------------------------------------


def traces_document(request: Request) -> dict[str, Any]:
    spans = [
        {
            "traceId": one["trace_id"].hex(),
            "spanId": one["span_id"].hex(),
            "parentSpanId": one["parent"].hex(),
            "name": one["name"],
            "kind": one["kind"],
            "startTimeUnixNano": str(one["start"]),
            "endTimeUnixNano": one["end"],
            "status": {"code": one["code"], "message": one["message"]},
            "traceState": one["state"],
            "flags": one["flags"],
            "droppedAttributesCount": one["dropped"],
            "attributes": _wire(one["pairs"]),
            "events": [
                {
                    "timeUnixNano": str(event["time"]),
                    "name": event["name"],
                    "attributes": _wire(event["pairs"]),
                }
                for event in one["events"]
            ],
            "links": [
                {
                    "traceId": link["trace_id"].hex(),
                    "spanId": link["span_id"].hex(),
                    "traceState": link["state"],
                    "attributes": _wire(link["pairs"]),
                }
                for link in one["links"]
            ],
        }
        for one in request.records
    ]
    return {"resourceSpans": [_group(request, "scopeSpans", "spans", spans)]}


def logs_document(request: Request) -> dict[str, Any]:
    records = [
        {
            "traceId": one["trace_id"].hex(),
            "spanId": one["span_id"].hex(),
            "eventName": one["event"],
            "timeUnixNano": str(one["time"]),
            "observedTimeUnixNano": one["observed"],
            "severityNumber": one["severity"],
            "severityText": one["said"],
            "flags": one["flags"],
            "body": json_values.to_wire(one["body"]),
            "attributes": _wire(one["pairs"]),
        }
        for one in request.records
    ]
    return {"resourceLogs": [_group(request, "scopeLogs", "logRecords", records)]}


def encoded(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _group(request: Request, scopes: str, noun: str, records: list[Any]) -> dict[str, Any]:
    scope = {"name": request.scope_name, "attributes": _wire(request.scope)}
    return {
        "resource": {"attributes": _wire(request.resource)},
        scopes: [{"scope": scope, noun: records}],
    }


def _wire(pairs: Pairs) -> list[dict[str, Any]]:
    return [{"key": key, "value": json_values.to_wire(value)} for key, value in pairs]
