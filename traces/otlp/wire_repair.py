"""Makes a protobuf request readable that the parser refuses whole: invalid UTF-8 in a string
becomes U+FFFD, a value nested too deep a text that says so, and a record whose bytes are broken is
taken out and reported.

Only for requests that failed to parse; wire format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from traces.otlp import deep_values

# The parser's own limit is 100 nested messages. Values of the MAX_DEPTH that is kept, and of one
# level more, so that they are seen to be too deep, must lie within.
_MAX_MESSAGES = 97
_VALUE = AnyValue.DESCRIPTOR.full_name
_TEXT = b"\x0a"  # the tag of a value's text
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_RECORDS = frozenset(
    {
        "opentelemetry.proto.trace.v1.Span",
        "opentelemetry.proto.logs.v1.LogRecord",
        "opentelemetry.proto.metrics.v1.Metric",
    }
)

OnDropped = Callable[[str, str], None]
"""Told of each record that is taken out: what can be said of it, and why."""


class BrokenWire(ValueError):
    """The bytes are not protobuf, or not this message."""


def repair(
    body: bytes,
    on_dropped: OnDropped,
    request: Descriptor = ExportTraceServiceRequest.DESCRIPTOR,
) -> bytes:
    """Raises BrokenWire when the damage is not inside a record or a string."""
    # A view: copies of one body would be held on every level of its messages.
    return _message(memoryview(body), request, on_dropped, 0)


def _message(body: memoryview, descriptor: Descriptor, on_dropped: OnDropped, depth: int) -> bytes:
    if depth > _MAX_MESSAGES and descriptor.full_name == _VALUE:
        text = deep_values.unread(len(body)).encode()
        return _TEXT + _encoded(len(text)) + text
    pieces = bytearray()
    position, end = 0, len(body)
    while position < end:
        start = position
        tag, position = _varint(body, position)
        wire_type, number = tag & 7, tag >> 3
        if number == 0:
            raise BrokenWire("a field has the number 0")
        if wire_type != _LENGTH:
            position = _skip(body, position, wire_type)
            pieces += body[start:position]
            continue
        size, position = _varint(body, position)
        content = body[position : position + size]
        position += size
        if position > end:
            raise BrokenWire("a field is longer than its message")
        field = descriptor.fields_by_number.get(number)
        repaired = content if field is None else _field(content, field, on_dropped, depth)
        if repaired is not None:
            pieces += _encoded(tag) + _encoded(len(repaired)) + repaired
    return bytes(pieces)


def _field(
    content: memoryview, field: FieldDescriptor, on_dropped: OnDropped, depth: int
) -> bytes | memoryview | None:
    if field.type == FieldDescriptor.TYPE_STRING:
        return str(content, "utf-8", "replace").encode()
    if field.type != FieldDescriptor.TYPE_MESSAGE or field.message_type is None:
        return content
    if field.message_type.full_name not in _RECORDS:
        return _message(content, field.message_type, on_dropped, depth + 1)
    try:
        return _message(content, field.message_type, on_dropped, depth + 1)
    except BrokenWire as error:
        on_dropped(f"of {len(content)} bytes", f"{error}")
        return None


def _varint(body: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        try:
            byte = body[position]
        except IndexError:
            raise BrokenWire("a number is cut off") from None
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise BrokenWire("a number is longer than 64 bits")


def _skip(body: memoryview, position: int, wire_type: int) -> int:
    if wire_type == _VARINT:
        return _varint(body, position)[1]
    size = {_FIXED64: 8, _FIXED32: 4}.get(wire_type)
    if size is None or position + size > len(body):
        raise BrokenWire(f"a field of wire type {wire_type} is broken")
    return position + size


def _encoded(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
