"""What both codecs give back, and the rules that hold for a span whichever way it was encoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from traces.otlp import json_values
from traces.spans import Attributes, RawSpan, Resource, Scope

MAX_DEPTH = 32
"""How deep values may nest inside one attribute; deeper ones cost their span."""

MAX_TIME_NS = 2**64 - 1


class MalformedBody(ValueError):
    """The body is not an OTLP trace request. The message says what it looks like instead."""


class MalformedSpan(ValueError):
    """One span breaks the format; the others of its request do not suffer for it."""


@dataclass(frozen=True, slots=True)
class Rejection:
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Decoded:
    spans: list[RawSpan]
    rejected: Sequence[Rejection] = ()

    @property
    def rejected_count(self) -> int:
        return sum(rejection.count for rejection in self.rejected)


@dataclass(slots=True)
class Collector:
    """Gathers the spans of a request. Equal reasons are counted, different ones kept."""

    spans: list[RawSpan] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def reject(self, label: str, reason: object) -> None:
        self.reasons[f"span {label}: {reason}"] += 1

    def done(self) -> Decoded:
        return Decoded(self.spans, [Rejection(text, count) for text, count in self.reasons.items()])


def label(name: object, span_id: bytes | str = b"") -> str:
    """How a rejection names its span: the name and, where there is one, the id."""
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


def resource(attributes: Attributes) -> Resource:
    return Resource(attributes, json_values.values_to_json(attributes))


def scope(
    name: str, version: str, attributes: Attributes, dropped: int = 0, schema_url: str = ""
) -> Scope:
    """`schema_url` is the spans' own, kept with their scope because a span has no place for it."""
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
