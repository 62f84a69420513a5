"""The contract that every convention in the table fulfils."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import get_args

import pytest

from tests.traces.semconv.raw_spans import read
from traces.semconv.convention import Convention, Field
from traces.semconv.registry import CONVENTIONS, ENTRIES, MERGED
from traces.spans import Kind

_ATTRIBUTE = re.compile(r"[a-z][A-Za-z0-9_.:]*[a-z0-9A-Z]")
_SOURCES = {
    "first_token_seconds": "first_token_ns",
    "first_token_ms": "first_token_ns",
    "first_token_at": "first_token_ns",
    "comma_tags": "tags",
}
_VALUES = {"usage": '{"input_tokens": 7}', "first_token_at": "1970-01-01T00:00:01Z"}
EACH = pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda convention: convention.name)


def test_names_are_unique() -> None:
    names = [convention.name for convention in CONVENTIONS]
    assert len(set(names)) == len(names)


@EACH
def test_tables_are_well_formed(convention: Convention) -> None:
    for fields in (convention.fields, convention.own_fields, convention.resource_fields):
        for name, attributes in fields.items():
            assert name in get_args(Field)
            assert len(set(attributes)) == len(attributes), name
            assert all(_ATTRIBUTE.fullmatch(attribute) for attribute in attributes), name
    for kinds in convention.kinds.values():
        assert all(value == value.lower() for value in kinds)
        assert set(kinds.values()) <= set(get_args(Kind))
    assert set(convention.implies.values()) <= set(get_args(Kind))
    assert all(prefix[-1] in ".:" for prefix in convention.metadata_prefixes)
    assert all(flat.prefix.endswith(".") for flat in convention.flat_messages)


@EACH
def test_each_kind_is_read(convention: Convention) -> None:
    for attribute, kinds in convention.kinds.items():
        for value, kind in kinds.items():
            span = read({attribute: value.upper()})
            assert (span.kind, span.sources["kind"]) == (kind, attribute)


@EACH
def test_each_mark_names_the_convention(convention: Convention) -> None:
    for mark in convention.marks:
        assert read({f"{mark}x" if mark.endswith(".") else mark: "1"}).convention in {
            convention.name,
            # a longer mark of another convention may begin with this one
            *(other.name for other in CONVENTIONS if any(m.startswith(mark) for m in other.marks)),
        }


@EACH
def test_each_attribute_reaches_its_field(convention: Convention) -> None:
    """Alone on a span, every attribute of the table is the source of its field."""
    for name, attributes in convention.fields.items():
        for attribute in attributes:
            if name == "total_tokens":  # evidence only
                continue
            value = _VALUES.get(name, "7")
            span = read({attribute: value})
            source = _SOURCES.get(name, name)
            assert span.sources.get(source) == attribute, (name, attribute, span.sources)
            assert span.attributes == {attribute: value}


def test_the_more_trusted_convention_wins_each_field() -> None:
    """Of any two attributes next to each other in trust, whatever order they were sent in."""
    by_field: dict[str, list[tuple[int, str]]] = {}
    for attribute, entry in ENTRIES.items():
        for name, rank in entry.fields:
            by_field.setdefault(name, []).append((rank, attribute))
    for name in by_field.keys() - MERGED - {"usage", "total_tokens", "first_token_at"}:
        ranked = sorted(by_field[name])
        for (_, attribute), (_, rival) in pairwise(ranked):
            span = read({rival: "7", attribute: "8"})
            assert span.sources[_SOURCES.get(name, name)] == attribute
