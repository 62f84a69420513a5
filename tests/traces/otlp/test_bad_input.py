"""Input that no emitter should send, each with its expected answer, in both encodings."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.traces.otlp.requests import (
    attribute,
    json_request,
    json_span,
    protobuf_request,
    protobuf_span,
)
from tests.traces.otlp.test_grpc import called, served
from tests.traces.otlp.test_receiver import Sender, Store, authorize, prepare, scope
from traces.otlp import decoder, deep_values
from traces.otlp.decoded import MAX_DEPTH
from traces.otlp.receiver import Limits, Receiver

WIDE = Limits()
AS_JSON = {"content_type": "application/json"}


def posted(body: bytes, **headers: str) -> tuple[int, bytes, Store]:
    store = Store()

    async def run() -> Sender:
        receiver: Any = Receiver(authorize, prepare, store.write, WIDE, now_ns=lambda: 9_000)
        sender = Sender([body])
        await receiver(scope(**headers), sender.receive, sender.send)
        return sender

    response = asyncio.run(run()).response
    return response.status, response.body, store


def field_of(number: int, content: bytes) -> bytes:
    """A field with a length (wire type 2), by hand: protobuf's parser gives up on such depths."""
    size, length = bytearray(), len(content)
    while length > 0x7F:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *size, length]) + content


def nested(depth: int) -> bytes:
    """A span with one attribute: arrays within arrays around a text."""
    value = field_of(1, b"bottom")
    for _ in range(depth):
        value = field_of(5, field_of(1, value))
    pair = field_of(1, b"a") + field_of(2, value)
    return protobuf_span(name="deep").SerializeToString() + field_of(9, pair)


def nested_json(depth: int) -> str:
    """As text: Python's own encoder gives up on such depths."""
    return '{"arrayValue":{"values":[' * depth + '{"stringValue":"bottom"}' + "]}}" * depth


def rejected_in(body: bytes) -> int:
    return int(ExportTraceServiceResponse.FromString(body).partial_success.rejected_spans)


def assert_cut(store: Store, depth: int) -> None:
    """The span is there; of its attribute all levels that may be, then a mark."""
    span, other = store.spans[1], store.spans[0]
    assert not other.truncated
    value = span.attributes["a"]
    for _ in range(min(depth, MAX_DEPTH)):
        assert isinstance(value, list)
        [value] = value
    if depth <= MAX_DEPTH:
        assert (value, span.truncated) == ("bottom", {})
        return
    assert value == deep_values.MARK
    [(place, length)] = span.truncated.items()
    assert place == "attributes.a"
    # What no parser goes into is counted as bytes: in protobuf fewer than the characters of JSON.
    whole = len(nested_json(depth))
    assert length == whole if depth < 45 else whole / 5 < length < whole * 1.01


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, MAX_DEPTH + 9, 60, 2_000])
def test_what_is_nested_too_deep_is_cut_in_protobuf(depth: int) -> None:
    spans = field_of(2, protobuf_span().SerializeToString()) + field_of(2, nested(depth))
    body = field_of(1, field_of(2, spans))
    status, answer, store = posted(body)
    assert (status, rejected_in(answer)) == (200, 0)
    assert_cut(store, depth)


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, MAX_DEPTH + 9, 300, 50_000])
def test_what_is_nested_too_deep_is_cut_in_json(depth: int) -> None:
    deep = json_span(attributes=[attribute("a", {"stringValue": "HERE"})])
    body = json_request(json_span(), deep).replace(
        b'{"stringValue": "HERE"}', nested_json(depth).encode()
    )
    status, answer, store = posted(body, **AS_JSON)
    assert (status, "rejectedSpans" in json.loads(answer).get("partialSuccess", {})) == (200, False)
    assert_cut(store, depth)


def test_maps_are_cut_as_lists_are_wherever_they_stand() -> None:
    deep: dict[str, Any] = {"stringValue": "bottom"}
    for _ in range(40):
        deep = {"kvlistValue": {"values": [{"key": "k", "value": deep}]}}
    spoilt = {"kvlistValue": {"values": [{"key": "k", "value": "bare"}]}}
    for _ in range(40):
        spoilt = {"arrayValue": {"values": [spoilt]}}
    pair = attribute("a", deep)
    in_json = json_span(
        attributes=[attribute("spoilt below", spoilt), attribute("b", {"intValue": 7})],
        events=[{"name": "e", "attributes": [pair]}],
        links=[{"traceId": "01" * 16, "spanId": "02" * 8, "attributes": [pair]}],
    )
    request = json.loads(json_request(in_json))
    request["resourceSpans"][0]["resource"] = {"attributes": [pair]}
    request["resourceSpans"][0]["scopeSpans"][0]["scope"]["attributes"] = [pair]
    status, _, store = posted(json.dumps(request).encode(), **AS_JSON)
    [span] = store.spans
    assert status == 200
    assert span.attributes["b"] == 7
    assert sorted(span.truncated) == [
        "attributes.spoilt below",
        "events.attributes.a",
        "links.attributes.a",
        "resource",
        "scope",
    ]
    for text in (span.resource_json, span.scope_json):
        assert deep_values.MARK in text
    value: Any = span.events[0].attributes["a"]
    for _ in range(MAX_DEPTH):
        value = value["k"]
    assert value == deep_values.MARK


def test_a_map_of_100_000_keys_is_taken_in_both_encodings() -> None:
    value = AnyValue()
    value.kvlist_value.values.extend(
        KeyValue(key=f"k{n}", value=AnyValue(int_value=n)) for n in range(100_000)
    )
    span = protobuf_span(attributes=[KeyValue(key="map", value=value)])
    entries = [attribute(f"k{n}", {"intValue": n}) for n in range(100_000)]
    in_json = json_span(attributes=[attribute("map", {"kvlistValue": {"values": entries}})])
    for body, headers in (
        (protobuf_request(span).SerializeToString(), {}),
        (json_request(in_json), AS_JSON),
    ):
        status, _, store = posted(body, **headers)
        assert status == 200
        found = store.spans[0].attributes["map"]
        assert isinstance(found, dict)
        assert len(found) == 100_000


def test_a_body_over_the_limit_is_413_and_of_grpc_resource_exhausted() -> None:
    large = protobuf_span(
        attributes=[KeyValue(key="a", value=AnyValue(string_value="x" * 17 * 1024**2))]
    )
    body = protobuf_request(large).SerializeToString()
    status, _, store = posted(body)
    assert status == 413
    assert not store.spans

    async def run() -> None:
        async with served(Receiver(authorize, prepare, store.write, WIDE)) as port:
            await called(port, body[: 1024**2])  # gRPC's own limit is that of these tests

    with pytest.raises(grpc.aio.AioRpcError) as failed:
        asyncio.run(run())
    assert failed.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_what_is_cut_of_a_resource_is_noted_once_for_all_its_spans() -> None:
    """A thousand deep attributes, of which each span would have had a note of its own."""
    deep: dict[str, Any] = {"stringValue": "bottom"}
    for _ in range(MAX_DEPTH + 1):
        deep = {"arrayValue": {"values": [deep]}}
    request = json.loads(json_request(*(json_span() for _ in range(50))))
    pairs = [attribute(f"k{n}", deep) for n in range(1_000)]
    request["resourceSpans"][0]["resource"] = {"attributes": pairs}
    found = decoder.decode(json.dumps(request).encode(), "json").records
    assert [len(span.cut) for span in found] == [1] * 50
    assert found[0].cut["resource"] > 1_000 * 30 * len('{"arrayValue":{"values":[]}}')


def test_of_many_values_cut_in_one_span_some_are_named_and_the_others_counted() -> None:
    deep: dict[str, Any] = {"stringValue": "bottom"}
    for _ in range(MAX_DEPTH + 1):
        deep = {"arrayValue": {"values": [deep]}}
    pairs = [attribute(f"{n}" + "k" * 900, deep) for n in range(70)]
    [span] = decoder.decode(json_request(json_span(attributes=pairs)), "json").records
    assert (len(span.cut), span.cut["more values"]) == (51, 20)
    assert max(map(len, span.cut)) == 200
