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
    partial = ExportTraceServiceResponse.FromString(body).partial_success
    if partial.rejected_spans:
        assert f"deeper than {MAX_DEPTH}" in partial.error_message or (
            "nested too deep" in partial.error_message
        )
    return int(partial.rejected_spans)


@pytest.mark.parametrize(("depth", "rejected"), [(MAX_DEPTH, 0), (MAX_DEPTH + 1, 1), (2_000, 1)])
def test_nesting_costs_its_span_alone_in_protobuf(depth: int, rejected: int) -> None:
    spans = field_of(2, protobuf_span().SerializeToString()) + field_of(2, nested(depth))
    body = field_of(1, field_of(2, spans))
    status, answer, store = posted(body)
    assert (status, rejected_in(answer)) == (200, rejected)
    assert len(store.spans) == 2 - rejected


@pytest.mark.parametrize(("depth", "rejected"), [(MAX_DEPTH, 0), (MAX_DEPTH + 1, 1), (50_000, 1)])
def test_nesting_costs_its_span_alone_in_json(depth: int, rejected: int) -> None:
    deep = json_span(attributes=[attribute("a", {"stringValue": "HERE"})])
    body = json_request(json_span(), deep).replace(
        b'{"stringValue": "HERE"}', nested_json(depth).encode()
    )
    status, answer, store = posted(body, **AS_JSON)
    partial = json.loads(answer).get("partialSuccess", {})
    assert (status, int(partial.get("rejectedSpans", 0))) == (200, rejected)
    assert len(store.spans) == 2 - rejected


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
