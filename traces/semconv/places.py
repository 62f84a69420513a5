"""Looks at the places that the conventions name for what only a reader wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from traces.semconv import reading, reads
from traces.semconv.reads import ReadField
from traces.semconv.registry import CONVENTIONS
from traces.spans import AttributeValue, Span

Place = tuple[str, tuple[str, ...]]

_SIDES = ("input", "output")


def _by_field(order: tuple[int, ...]) -> dict[ReadField, tuple[Place, ...]]:
    found: dict[ReadField, dict[Place, None]] = {}
    for index in order:
        for name, places in CONVENTIONS[index].reads.fields.items():
            found.setdefault(name, {}).update(dict.fromkeys(map(reads.split, places)))
    return {name: tuple(places) for name, places in found.items()}


_ALL = tuple(range(len(CONVENTIONS)))
_ORDERS: Mapping[str, Mapping[ReadField, tuple[Place, ...]]] = {
    convention.name: _by_field((index, *(other for other in _ALL if other != index)))
    for index, convention in enumerate(CONVENTIONS)
}
"""For each convention the places of all, its own first: it knows best what its names mean."""


def of(span: Span, field: ReadField) -> Iterator[tuple[str, Any]]:
    """What each place holds that holds anything: the attribute's name and the value, best first.

    A value from inside of JSON comes parsed, an attribute's own as it was sent.
    """
    order = _ORDERS.get(span.convention) or next(iter(_ORDERS.values()))
    for name, path in order.get(field, ()):
        value: Any = attribute(span, name)
        if path and value is not None:
            value = reading.at(reading.parsed_json(value), path)
        if value is not None and value != "":
            yield name, value


def names(span: Span, field: ReadField) -> Iterator[str]:
    """The attributes that may hold it, whether or not they do."""
    order = _ORDERS.get(span.convention) or next(iter(_ORDERS.values()))
    return (name for name, _ in order.get(field, ()))


def first_text(span: Span, field: ReadField) -> str:
    return next((reading.text(value) for _, value in of(span, field)), "")


def attribute(span: Span, name: str) -> AttributeValue:
    """An attribute, also where the store keeps it as the span's input or output only."""
    value = span.attributes.get(name)
    if value is not None:
        return value
    for side in _SIDES:
        if span.sources.get(side) == name:
            return span.input if side == "input" else span.output
    return None
