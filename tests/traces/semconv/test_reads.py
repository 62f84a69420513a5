"""The contract of what the conventions say for readers, and that each is documented."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from traces.semconv import reads
from traces.semconv.convention import Convention
from traces.semconv.reads import ReadField
from traces.semconv.registry import CONVENTIONS

_PLACE = re.compile(r"[A-Za-z][\w.:]*\w(?:#[\w.-]+)?")
_DOCUMENTATION = Path(__file__).parents[3] / "docs" / "conventions.md"
EACH = pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda convention: convention.name)


@EACH
def test_places_are_well_formed(convention: Convention) -> None:
    for name, places in convention.reads.fields.items():
        assert name in get_args(ReadField)
        assert len(set(places)) == len(places), name
        assert all(_PLACE.fullmatch(place) for place in places), name
    for places in convention.reads.params.values():
        assert all(_PLACE.fullmatch(place) for place in places)
    assert all(_PLACE.fullmatch(place) for place in convention.reads.param_objects)
    for prefix in (*convention.reads.param_prefixes, *convention.reads.flat_documents):
        assert prefix.endswith(".")


@EACH
def test_it_is_documented(convention: Convention) -> None:
    assert f"`{convention.name}`" in _DOCUMENTATION.read_text()


def test_a_place_is_an_attribute_or_lies_inside_of_one() -> None:
    assert reads.split("a.b") == ("a.b", ())
    assert reads.split("a.b#c.0.d") == ("a.b", ("c", "0", "d"))
