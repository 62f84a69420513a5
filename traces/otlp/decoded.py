"""What both codecs give back, and the rules that hold for a record whichever way it was encoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from traces.otlp import json_values
from traces.spans import Attributes, Resource, Scope

R = TypeVar("R")

MAX_DEPTH = 30
"""How deep values may nest inside one attribute; what lies deeper is cut (`deep_values`). Maps are
three messages a level, and protobuf's parser goes into a hundred.
"""

MAX_TIME_NS = 2**64 - 1


class MalformedBody(ValueError):
    """The body is no OTLP request of its signal. The message says what it looks like instead."""


class MalformedSpan(ValueError):
    """One record breaks the format; the others of its request do not suffer for it."""


class MalformedValue(MalformedSpan):
    """What is wrong lies inside of an attribute's value; whoever reads the attribute names it."""


class TooDeep(Exception):
    """A value is nested deeper than MAX_DEPTH; whoever reads the attribute cuts it."""


@dataclass(frozen=True, slots=True)
class Rejection:
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Decoded(Generic[R]):
    records: list[R]
    rejected: Sequence[Rejection] = ()

    @property
    def spans(self) -> list[R]:
        """The records of a trace request."""
        return self.records

    @property
    def rejected_count(self) -> int:
        return sum(rejection.count for rejection in self.rejected)


@dataclass(slots=True)
class Collector(Generic[R]):
    """Gathers the records of a request. Equal reasons are counted, different ones kept."""

    noun: str = "span"
    records: list[R] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def reject(self, label: str, reason: object, count: int = 1) -> None:
        self.reasons[f"{self.noun} {label}: {reason}"] += count

    def done(self) -> Decoded[R]:
        rejected = [Rejection(text, count) for text, count in self.reasons.items()]
        return Decoded(self.records, rejected)


def label(name: object, span_id: bytes | str = b"") -> str:
    """How a rejection names its record: the name and, where there is one, the id."""
    shown = span_id.hex() if isinstance(span_id, bytes) else span_id
    quoted = repr(str(name)[:80]) if name else "(unnamed)"
    return f"{quoted} ({shown[:32]})" if shown else quoted


def checked_trace_id(value: bytes) -> bytes:
    return _checked_id("trace id", value, 16)


def checked_span_id(value: bytes) -> bytes:
    return _checked_id("span id", value, 8)


def checked_parent_id(value: bytes) -> bytes:
    """Empty for "no parent"; some emitters spell that with eight zero bytes."""
    if not value or value == bytes(8):
        return b""
    return _checked_id("parent span id", value, 8)


def checked_link_id(value: bytes, length: int) -> bytes:
    if value and len(value) != length:
        raise MalformedSpan(f"a link's id has {len(value)} bytes, not {length}")
    return value


def id_or_none(value: bytes, length: int) -> bytes:
    """Of a log record: one that is malformed or all zeros stands for none (OTLP, logs.proto)."""
    return value if len(value) == length and value != bytes(length) else b""


def resource(attributes: Attributes) -> Resource:
    return Resource(attributes, json_values.values_to_json(attributes))


def scope(
    name: str, version: str, attributes: Attributes, dropped: int = 0, schema_url: str = ""
) -> Scope:
    """`schema_url` is the records' own, kept with their scope because they have no place for it."""
    return Scope(
        name,
        version,
        attributes,
        json_values.scope_to_json(name, version, attributes, dropped, schema_url),
    )


def _checked_id(what: str, value: bytes, length: int) -> bytes:
    if len(value) != length:
        raise MalformedSpan(f"{what} has {len(value)} bytes, not {length}")
    if value == bytes(length):
        raise MalformedSpan(f"{what} is all zeros")
    return value
