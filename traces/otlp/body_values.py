"""Refuses bodies of so many values that parsing them would take all memory, before it is done.

Two bytes of a body become an empty attribute of fifty in memory, or an empty span of more than a
hundred: 64 MiB of them, which compress to some KiB, would be gigabytes. What a body surely does
not hold is seen by counting single bytes; only where that says nothing is it walked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor

MAX_VALUES = 2_000_000
"""Messages of a protobuf body; objects, lists and their items of a JSON one."""
# Tags of the messages within messages of all three signals, as far as they are one byte.
_TAGS = tuple(bytes([number << 3 | 2]) for number in (*range(1, 8), 9, 10, 11, 13, 15))
_SEPARATORS = (b"{", b"[", b",")
# Strings end where they end, or with the body; possessive, so that nothing is read twice.
_TOKEN = re.compile(rb'[{[,]|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_QUOTE = ord('"')
_MAX_TOKENS = 5 * MAX_VALUES
# The parser refuses what is nested deeper, and nothing is made of it.
_MAX_DEPTH = 100
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


class TooManyValues(ValueError):
    """The message goes into a sentence that begins with "Too large"."""

    def __init__(self) -> None:
        super().__init__(f"the body holds more than {MAX_VALUES} values")


def check_json(body: bytes) -> None:
    """Raises TooManyValues. What is no JSON may pass."""
    if _is_surely_few(body, _SEPARATORS):
        return
    count = 0
    for number, token in enumerate(_TOKEN.finditer(body)):
        count += body[token.start()] != _QUOTE
        if count > MAX_VALUES or number > _MAX_TOKENS:
            raise TooManyValues


def check_protobuf(body: bytes, request: Descriptor) -> None:
    """Raises TooManyValues. What is no protobuf may pass."""
    if _is_surely_few(body, _TAGS):
        return
    try:
        _walk(body, _below(request))
    except IndexError:
        return  # cut off: the parser will say so


def _is_surely_few(body: bytes, signs: tuple[bytes, ...]) -> bool:
    left = MAX_VALUES
    if len(body) <= left:
        return True
    for sign in signs:
        left -= body.count(sign)
        if left < 0:
            return False
    return True


class _Below:
    """Of a message the fields that are messages, by number."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields: dict[int, _Below] = {}


@cache
def _below(descriptor: Descriptor) -> _Below:
    return _linked(descriptor, {})


def _linked(descriptor: Descriptor, known: dict[str, _Below]) -> _Below:
    """Values hold lists of values: each kind of message is made once."""
    found = known.get(descriptor.full_name)
    if found is None:
        found = known[descriptor.full_name] = _Below()
        found.fields = {
            field.number: _linked(field.message_type, known)
            for field in descriptor.fields
            if field.type == FieldDescriptor.TYPE_MESSAGE and field.message_type is not None
        }
    return found


def _walk(body: bytes, root: _Below) -> None:
    """Into each message as it comes, so that what is still to do is as much as its depth."""
    rest: list[tuple[int, int, Mapping[int, _Below]]] = [(0, len(body), root.fields)]
    count = 0
    while rest:
        position, end, fields = rest.pop()
        while position < end:
            tag, position = _varint(body, position)
            wire_type = tag & 7
            if wire_type == _LENGTH:
                size, start = _varint(body, position)
                position = start + size
                inner = fields.get(tag >> 3)
                if inner is None:
                    continue
                count += 1
                if count > MAX_VALUES:
                    raise TooManyValues
                if size and len(rest) < _MAX_DEPTH:
                    rest.append((position, end, fields))
                    position, end, fields = start, min(position, end), inner.fields
            elif wire_type == _VARINT:
                _, position = _varint(body, position)
            elif wire_type in (_FIXED64, _FIXED32):
                position += 8 if wire_type == _FIXED64 else 4
            else:
                break  # a group, or broken


def _varint(body: bytes, position: int) -> tuple[int, int]:
    value = body[position]
    position += 1
    if value < 0x80:
        return value, position
    value &= 0x7F
    for shift in range(7, 70, 7):
        byte = body[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    return value, position
