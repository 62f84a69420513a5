"""Bodies that would become more values than memory holds are refused before they are parsed."""

from __future__ import annotations

import json
import resource
import time
from typing import Any

import pytest

from tests.traces.otlp.requests import json_request, json_span, protobuf_request, protobuf_span
from traces.otlp import decoder
from traces.otlp.body_values import MAX_VALUES
from traces.otlp.decoder import Encoding, TooManyValues


def nested(content: bytes, *numbers: int) -> bytes:
    """As fields of protobuf messages, the outermost first."""
    for number in reversed(numbers):
        size, written = len(content), bytearray([number << 3 | 2])
        while size > 0x7F:
            written.append(size & 0x7F | 0x80)
            size >>= 7
        content = bytes([*written, size]) + content
    return content


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


MANY = MAX_VALUES + 1


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("protobuf", nested(b"\x12\0" * MANY, 1, 2)),
        ("protobuf", nested(b"\x4a\0" * MANY, 1, 2, 2)),
        ("protobuf", nested(b"\x0a\0" * MANY, 1, 1)),
        ("protobuf", nested(b"\x0a\0" * MANY, 1, 2, 2, 9, 2, 5)),
        ("json", b'{"resourceSpans":[' + b"{}," * MANY + b"{}]}"),
        ("json", b'{"resourceSpans":[],"x":[' + b"1," * MANY + b"1]}"),
        ("json", b"[" * MANY * 2),
    ],
    ids=["spans", "attributes", "resource", "values", "objects", "numbers", "depth"],
)
def test_too_many_values_cost_neither_memory_nor_time(encoding: Encoding, body: bytes) -> None:
    began, before = time.process_time(), _peak_bytes()
    with pytest.raises(TooManyValues, match="holds more than 2000000 values"):
        decoder.decode(body, encoding)
    assert time.process_time() - began < 10
    assert _peak_bytes() - before < 20_000_000


def test_text_that_only_looks_like_many_values_is_read() -> None:
    text = json.dumps([{}] * (MAX_VALUES // 2)) + '\n\x12"JZjz' * 200_000
    attribute: Any = {"key": "a", "value": {"stringValue": text}}
    read = decoder.decode(json_request(json_span(attributes=[attribute])), "json")
    assert read.records[0].attributes == {"a": text}
    request = protobuf_request(protobuf_span())
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.attributes.add(key="a").value.string_value = text
    read = decoder.decode(request.SerializeToString(), "protobuf")
    assert read.records[0].attributes == {"a": text}
