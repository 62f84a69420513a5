"""Whatever the structure of a request: both encodings say the same, each record is accepted or
counted as rejected, and what is accepted can be stored, read and added up.

A run of `make test` tries some hundred; `TRACEROOT_FUZZ_EXAMPLES` makes it more.
"""

from __future__ import annotations

import copy
import json
import time
import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import names, requests, way
from tests.fuzz.requests import EXAMPLES, Request
from traces.otlp import decoder, json_values
from traces.semconv import normalize
from traces.spans import Span, SpanEvent
from traces.store import batches, writer
from traces.store.engine.process import EngineProcess
from traces.store.reader import SpanReader

_SLOWLY: Any = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
_JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, -1, 0, 2**64, 10**30, 10**400, 0.5, 1e308, "", "0", "x", "\ud83d", "\x00",
        "9" * 5_000, [], {}, [[]], [None], {"": None}, {"values": None}, {"values": [None]},
        {"stringValue": 1}, {"intValue": 1.5}, {"arrayValue": []}, {"kvlistValue": {"values": {}}},
        {"key": "a"}, [{"key": 1, "value": {}}], {"a_b": 1, "aB": 2}, {"bytesValue": "?"},
        *names.TEXTS[-3:],
    ]
)  # fmt: skip


@settings(max_examples=EXAMPLES, **_SLOWLY)
@given(requests.trace_requests())
def test_a_trace_request_means_the_same_in_both_encodings(request: Request) -> None:
    from_protobuf = decoder.decode(requests.traces_protobuf(request), "protobuf")
    from_json = decoder.decode(requests.encoded(requests.traces_document(request)), "json")
    for decoded in (from_protobuf, from_json):
        way.check_counts(decoded)
        assert len(decoded.records) + decoded.rejected_count == len(request.records)
    assert _but_for_lengths(from_protobuf) == _but_for_lengths(from_json)
    arrival = way.taken(from_protobuf, "protobuf", "traces")
    assert arrival.rows == len(from_protobuf.records)
    assert arrival.receipt.rejected == from_protobuf.rejected_count
    once = normalize.spans(from_json.records, **way.ORIGIN)
    again = normalize.spans(copy.deepcopy(from_json.records), **way.ORIGIN)
    assert repr(once) == repr(again), "normalising changes neither what it reads nor itself"


@settings(max_examples=EXAMPLES, **_SLOWLY)
@given(requests.log_requests())
def test_a_logs_request_means_the_same_in_both_encodings(request: Request) -> None:
    from_protobuf = decoder.decode(requests.logs_protobuf(request), "protobuf", "logs")
    document = requests.logs_document(request)
    from_json = decoder.decode(requests.encoded(document), "json", "logs")
    for decoded in (from_protobuf, from_json):
        way.check_counts(decoded)
        assert len(decoded.records) + decoded.rejected_count == len(request.records)
    assert repr(from_protobuf.records) == repr(from_json.records)
    way.taken(from_protobuf, "protobuf", "logs")


@settings(max_examples=EXAMPLES, **_SLOWLY)
@given(st.one_of(requests.trace_requests(), requests.log_requests()), st.data())
def test_json_with_anything_in_any_place_costs_what_is_broken(
    request: Request, data: st.DataObject
) -> None:
    signal: Any = "logs" if "severity" in request.records[0] else "traces"
    as_document = requests.logs_document if signal == "logs" else requests.traces_document
    document = as_document(request)
    for _ in range(data.draw(st.integers(1, 3))):
        _replace_somewhere(document, data)
    # Also what JSON has twice, and halves of surrogate pairs.
    way.whole(json.dumps(document).encode(), "json", signal)


@pytest.mark.usefixtures("engine")
@settings(max_examples=min(EXAMPLES // 6, 300), **_SLOWLY)
@given(requests.trace_requests())
def test_what_is_stored_comes_back(engine: EngineProcess, request: Request) -> None:
    sent = request.with_ids(lambda number: number.to_bytes(8, "big"))
    decoded = decoder.decode(requests.traces_protobuf(sent), "protobuf")
    origin: Any = {"project_id": uuid.uuid4(), "received_ns": time.time_ns()}
    spans = normalize.spans(decoded.records, **origin)
    writer.insert([batches.of(spans, **origin)])
    back = SpanReader(origin["project_id"]).spans(b"t" * 16)
    assert sorted(map(_exactly, spans)) == sorted(map(_exactly, back))


def _but_for_lengths(decoded: Any) -> str:
    """How long a value was is a guess where no parser goes into it."""
    return repr([replace(record, cut=dict.fromkeys(record.cut)) for record in decoded.records])


def _replace_somewhere(document: Any, data: st.DataObject) -> None:
    """One node of the document, mostly a deep one, becomes junk or vanishes."""
    node = document
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        below = node[key]
        goes_on = isinstance(below, dict | list) and below and data.draw(st.integers(0, 7))
        if not goes_on:
            node[key] = copy.deepcopy(data.draw(_JUNK))
            return
        node = below


def _exactly(span: Span) -> tuple[str, ...]:
    """What must come back as it went in; figures are clamped to their columns."""
    return (
        span.span_id.hex(),
        span.name,
        span.kind,
        span.status,
        span.status_message,
        span.trace_state,
        span.convention,
        span.input,
        span.output,
        repr((span.start_ns, span.end_ns, span.flags, span.dropped_attributes)),
        repr(sorted((k, json_values.value_to_json(v)) for k, v in span.attributes.items())),
        repr([_event(event) for event in span.events]),
        span.resource_json,
        span.scope_json,
        repr((span.metadata, span.tags, span.usage)),
    )


def _event(event: SpanEvent) -> tuple[int, str, str]:
    return event.time_ns, event.name, json_values.values_to_json(event.attributes)
