"""Bad input by name, sent to the running receiver: what each is answered, that the span beside it
is stored, and that the process stays within its memory.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.product import otlp, processes
from tests.product.running import Product
from tests.product.test_body_limits import opened

pytestmark = pytest.mark.xdist_group("product")
MIB = 1024**2
PEAK_BYTES = 600 * MIB
"""Of the receiver process (docs/operations.md)."""
TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
FUTURE_NS = 7_258_118_400 * 10**9  # the year 2200
SLOW = 200


@dataclass(frozen=True)
class Bad:
    """`spoil` makes a good span bad; `rejected` is the reason, empty when it is taken."""

    name: str
    spoil: Callable[[dict[str, Any]], None]
    rejected: str = ""
    in_bytes: tuple[bytes, bytes] = (b"", b"")
    """Replaced in the encoded request: what json.dumps does not write."""


def _value(name: str, **value: Any) -> dict[str, Any]:
    return {"key": name, "value": value}


def _with(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda span: span.update(fields)


def _adding(*attributes: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    return lambda span: span["attributes"].extend(attributes)


def _nested(number: int, content: bytes) -> bytes:
    """As a field of a protobuf message."""
    size, written = len(content), bytearray([number << 3 | 2])
    while size > 0x7F:
        written.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*written, size]) + content


DEEP = 200_000
BAD = [
    Bad(
        "200,000 levels of JSON",
        _adding(_value("deep", arrayValue="DEEP")),
        in_bytes=(b'"DEEP"', b'{"values":[{"arrayValue":' * DEEP + b"{}" + b"}]}" * DEEP),
    ),
    Bad(
        "900 levels of JSON within a text",
        _adding(_value("ai.response.providerMetadata", stringValue='{"a":' * 900 + "}" * 900)),
    ),
    Bad("invalid UTF-8", _with(name="XX"), in_bytes=(b"XX", b"\xff\xfe")),
    Bad("half a surrogate pair", _with(name="\ud83d")),
    Bad("NaN", _adding(_value("gen_ai.usage.input_tokens", doubleValue=float("nan")))),
    Bad("a negative time", _with(startTimeUnixNano="-5"), "startTimeUnixNano is negative"),
    Bad("a time in 2200", _with(startTimeUnixNano=FUTURE_NS, endTimeUnixNano=FUTURE_NS + 1)),
    Bad("a time that ends before it starts", _with(startTimeUnixNano="9", endTimeUnixNano="3")),
    Bad("the largest time", _with(startTimeUnixNano=2**64 - 1, endTimeUnixNano=2**64 - 1)),
    Bad("no times", _with(startTimeUnixNano=0, endTimeUnixNano=0)),
    Bad("a zero trace id", _with(traceId="0" * 32), "trace id is all zeros"),
    Bad("a zero span id", _with(spanId="0" * 16), "span id is all zeros"),
    Bad("duplicate keys", _adding(*[_value("a", intValue=n) for n in range(1_000)])),
    Bad("a huge map", _adding(_value("m", kvlistValue={"values": [
        _value(f"k{n}", stringValue="v") for n in range(100_000)]}))),
    Bad("a value of 10 MB", _adding(_value("input.value", stringValue="x" * 10_000_000))),
    Bad("100,000 attributes", lambda span: span.update(attributes=[
        _value(f"k{n}", intValue=n) for n in range(100_000)])),
    Bad("enums of no meaning", _with(kind=-7, status={"code": 99})),
    Bad("an integer of 9,000 digits", _adding(_value("n", intValue="9" * 9_000)), "too large"),
]  # fmt: skip


@contextmanager
def within_memory(product: Product) -> Iterator[None]:
    """The kernel's own mark of the most memory that a receiver ever had, set back before."""
    before = product.all_of("receiver")
    for pid in before:
        with open(f"/proc/{pid}/clear_refs", "w") as marks:
            marks.write("5")
    yield
    assert product.all_of("receiver") == before, "a receiver ended"
    assert sum(map(processes.peak_bytes, before)) < PEAK_BYTES


def _post(
    product: Product, body: bytes, encoding: str, key: str, content_type: str = "application/json"
) -> httpx.Response:
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": content_type,
        "Content-Encoding": encoding,
    }
    return httpx.post(f"{product.otlp_url}/v1/traces", content=body, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def key(product: Product) -> str:
    made = product.create_project("Bad input", "Bad input", "ada@example.com")
    return str(made["api_key"])


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_it_costs_at_most_itself(product: Product, key: str, bad: Bad) -> None:
    trace_id = otlp.new_trace_id()
    spoiled = otlp.span(trace_id, "spoiled")
    bad.spoil(spoiled)
    body = json.dumps(otlp.request(spoiled, otlp.span(trace_id, "polite"))).encode()
    body = gzip.compress(body.replace(*bad.in_bytes) if bad.in_bytes[0] else body, 1)
    with within_memory(product):
        began = time.monotonic()
        answer = _post(product, body, "gzip", key)
        seconds = time.monotonic() - began
    assert answer.status_code == 200, answer.text
    partial = answer.json().get("partialSuccess", {})
    assert partial.get("rejectedSpans", "0") == ("1" if bad.rejected else "0"), partial
    assert bad.rejected in partial.get("errorMessage", "")
    assert seconds < 45
    names = [
        span["name"] for span in product.api(f"traces/{trace_id}", api_key=key).json()["spans"]
    ]
    assert "polite" in names


MANY = {
    "a million attributes": (
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x","attributes":['
        + b",".join(b'{"key":"k%d","value":{"intValue":1}}' % n for n in range(1_000_000))
        + b"]}]}]}]}",
        "application/json",
    ),
    "64 MiB of empty objects": (b"[" + b"{}," * (21 * MIB) + b"1]", "application/json"),
    "64 MiB of empty attributes": (
        _nested(1, _nested(2, _nested(2, b"\x4a\x00" * (31 * MIB)))),
        "application/x-protobuf",
    ),
    "64 MiB of empty spans": (
        _nested(1, _nested(2, b"\x12\x00" * (31 * MIB))),
        "application/x-protobuf",
    ),
}


@pytest.mark.parametrize("name", MANY)
def test_more_values_than_memory_holds_are_too_large(product: Product, key: str, name: str) -> None:
    body, content_type = MANY[name]
    with within_memory(product):
        began = time.monotonic()
        answer = _post(product, gzip.compress(body, 1), "gzip", key, content_type)
        assert time.monotonic() - began < 20
    assert answer.status_code == 413
    assert b"Too large: the body holds more than 2000000 values. Send smaller" in answer.content


def _bomb(size: int) -> bytes:
    """One gzip stream that is `size` bytes of zeros when it is undone."""
    step = 10 * MIB
    stream = zlib.compressobj(9, wbits=31)
    head = stream.compress(bytes(step)) + stream.flush(zlib.Z_FULL_FLUSH)
    block = stream.compress(bytes(step)) + stream.flush(zlib.Z_FULL_FLUSH)
    return head + block * (size // step - 1) + stream.flush()


def test_a_gzip_bomb_of_10_gb_is_too_large(product: Product, key: str) -> None:
    bomb = _bomb(10_000 * MIB)
    assert len(bomb) < 16 * MIB
    with within_memory(product):
        answer = _post(product, bomb, "gzip", key)
    assert answer.status_code == 413
    assert answer.json()["message"] == (
        "Too large: the body has more than 67108864 bytes after gzip. Send smaller batches."
    )


def test_a_bomb_over_grpc_is_too_large(product: Product, key: str) -> None:
    with within_memory(product), pytest.raises(grpc.RpcError) as failed:
        _call(product, bytes(700 * MIB), key, compression=grpc.Compression.Gzip)
    assert failed.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_bad_spans_over_grpc_cost_themselves(product: Product, key: str) -> None:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    trace_id = bytes.fromhex(otlp.new_trace_id())
    fields: Any = {"trace_id": trace_id, "start_time_unix_nano": 1, "end_time_unix_nano": 2}
    spans.add(span_id=b"polite!!", name="polite", **fields)
    spans.add(span_id=bytes(8), name="zero", **fields)
    deep: Any = spans.add(span_id=b"deep....", name="deep", **fields).attributes.add(key="deep")
    for _ in range(40):
        deep = deep.value if hasattr(deep, "value") else deep
        deep = deep.array_value.values.add()
    many = spans.add(span_id=b"many....", name="many", **fields)
    many.attributes.extend(
        [type(many.attributes.add())(key=f"k{number}") for number in range(300_000)]
    )
    spans.add(span_id=b"utf-8...", name="XXXXX", kind=-7, **fields)
    body = request.SerializeToString().replace(b"XXXXX", b"bad \xff")
    with within_memory(product):
        partial = _call(product, body, key).partial_success
    assert partial.rejected_spans == 1
    assert "span id is all zeros" in partial.error_message
    read = product.api(f"traces/{trace_id.hex()}", api_key=key).json()["spans"]
    assert {"polite", "many", "deep", "bad \ufffd"} <= {span["name"] for span in read}


def test_slow_senders_do_not_keep_a_polite_one_waiting(product: Product, key: str) -> None:
    with within_memory(product), ExitStack() as held:
        for _ in range(SLOW):
            slow = held.enter_context(opened(product.otlp_url, key, "content-length: 100000"))
            slow.sendall(b"\n")
        began = time.monotonic()
        answer = otlp.post(
            product.otlp_url, product.api_key, otlp.request(otlp.span(otlp.new_trace_id(), "x"))
        )
        assert answer.status_code == 200
        assert time.monotonic() - began < 5


def test_slow_senders_over_grpc_do_not_keep_another_tenant_waiting(
    product: Product, key: str
) -> None:
    with within_memory(product), ExitStack() as held:
        for _ in range(SLOW):
            _hold_open(held, product, key)
        time.sleep(1)
        began = time.monotonic()
        _call(product, ExportTraceServiceRequest().SerializeToString(), product.api_key)
        assert time.monotonic() - began < 5


def _hold_open(held: ExitStack, product: Product, key: str) -> None:
    """A call whose message never comes."""
    channel = held.enter_context(
        grpc.insecure_channel(_address(product), [("grpc.use_local_subchannel_pool", 1)])
    )
    done = held.enter_context(_until_left())
    call = channel.stream_unary(TRACES).future(done, metadata=_metadata(key))
    held.callback(call.cancel)


@contextmanager
def _until_left() -> Iterator[Iterator[bytes]]:
    left = threading.Event()

    def nothing() -> Iterator[bytes]:
        left.wait(60)
        yield from ()

    try:
        yield nothing()
    finally:
        left.set()


def _call(product: Product, body: bytes, key: str, **options: Any) -> ExportTraceServiceResponse:
    with grpc.insecure_channel(
        _address(product), [("grpc.max_send_message_length", -1)]
    ) as channel:
        export = channel.unary_unary(TRACES)
        answer: bytes = export(body, metadata=_metadata(key), timeout=60, **options)
    return ExportTraceServiceResponse.FromString(answer)


def _metadata(key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),)


def _address(product: Product) -> str:
    return product.grpc_url.partition("://")[2] or product.grpc_url
