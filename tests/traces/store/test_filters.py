"""Filters compile to fixed fragments and bound parameters, whatever the values are."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces.store.filters import NUMBER_FIELDS, TEXT_FIELDS, Condition, TraceFilter, terms

texts = st.text(min_size=1, max_size=30)
conditions = st.lists(
    st.builds(
        Condition,
        field=st.sampled_from(sorted({*TEXT_FIELDS, "attribute"})),
        op=st.sampled_from(["in", "eq", "contains"]),
        texts=st.lists(texts, min_size=1, max_size=3).map(tuple),
        key=texts,
        is_negated=st.booleans(),
    )
    | st.builds(
        Condition,
        field=st.sampled_from(sorted(NUMBER_FIELDS)),
        op=st.sampled_from(["eq", "gt", "gte", "lt", "lte"]),
        number=st.floats(0, 1e300),
        is_negated=st.booleans(),
    ),
    max_size=4,
).map(tuple)


@given(conditions=conditions, text=texts, name=texts)
def test_no_value_is_part_of_a_fragment(
    conditions: tuple[Condition, ...], text: str, name: str
) -> None:
    wanted = TraceFilter(conditions=conditions, text=text, name=name)
    plain = TraceFilter(
        conditions=tuple(
            Condition(one.field, one.op, ("v",), 1.0, "k", one.is_negated) for one in conditions
        ),
        text="v",
        name="v",
    )
    if not text.isspace():  # white space alone searches nothing
        assert wanted.settled_fragments() == plain.settled_fragments()
        assert wanted.running_fragments() == plain.running_fragments()
    bound = {"project_id", *wanted.parameters()}
    for fragment in (*wanted.settled_fragments(), *wanted.running_fragments()):
        assert set(re.findall(r"\{(\w+):", fragment)) <= bound


@pytest.mark.parametrize(
    ("moment", "ns"),
    [
        (dt.datetime(1, 1, 1, tzinfo=dt.UTC), 0),
        (dt.datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=dt.UTC), 1000),
        (dt.datetime(2026, 1, 2, 3, 4, 5, 123457, tzinfo=dt.UTC), 1_767_323_045_123_457_000),
        (dt.datetime(9999, 12, 31, tzinfo=dt.UTC), 2**64 - 1),
    ],
)
def test_bounds_are_exact_and_fit_their_column(moment: dt.datetime, ns: int) -> None:
    assert TraceFilter(since=moment).parameters()["since_ns"] == ns
    assert TraceFilter(until=moment).parameters()["until_ns"] == ns


def test_without_bounds_everything_is_inside() -> None:
    bounds = TraceFilter().parameters()
    assert (bounds["since_ns"], bounds["until_ns"]) == (0, 2**64 - 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" \t\n", ()),
        ("refund", ("refund",)),
        ("refund  denied\nrefund", ("refund", "denied")),
        ('"not refundable" fare', ("not refundable", "fare")),
        ('fare:"not refundable', ("fare:", "not refundable")),
        ('"two  spaces "', ("two  spaces ",)),
        ('"" x " "', ("x",)),
        ('"', ('"',)),
        ('""', ('""',)),
    ],
)
def test_words_and_quoted_phrases_of_a_search(text: str, expected: tuple[str, ...]) -> None:
    assert terms(text) == expected
