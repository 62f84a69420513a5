"""Whatever a span holds is read back as it was, or made to fit its column: never an error."""

from __future__ import annotations

import math
import struct
import time
import uuid
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.traces import made
from traces.spans import Span, SpanEvent, SpanLink, Usage
from traces.store import cells, rows, writer
from traces.store.reader import SpanReader

texts = st.text(max_size=40)  # no lone surrogates: Hypothesis makes none by default
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(width=64)
    | texts
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
attributes = st.dictionaries(
    texts | st.sampled_from(["input.value", "output.value", "@input", "input"]), values, max_size=8
)
times = st.integers(0, 2**64 - 1)
counts = st.integers(0, 2**53)
money = st.none() | st.decimals(0, 10**8, places=9)
usages = st.none() | st.builds(
    Usage,
    uncached_input=counts,
    cache_read=counts,
    cache_write_5m=counts,
    cache_write_1h=counts,
    output=counts,
    reasoning=counts,
    other=st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False), max_size=2),
)
text_maps = st.dictionaries(texts, texts, max_size=3)
text_lists = st.lists(texts, max_size=3).map(tuple)
events = st.lists(
    st.builds(SpanEvent, time_ns=times, name=texts, attributes=attributes), max_size=2
).map(tuple)
links = st.lists(
    st.builds(
        SpanLink,
        trace_id=st.binary(min_size=16, max_size=16),
        span_id=st.binary(min_size=8, max_size=8),
        trace_state=texts,
        attributes=attributes,
    ),
    max_size=2,
).map(tuple)
TEXT_FIELDS = [f.name for f in fields(Span) if f.type == "str" and not f.name.endswith("_json")]
NUMBERS = {
    "otel_kind": st.integers(0, 255),
    "first_token_ns": times,
    "git_source_line": st.integers(0, 2**32 - 1),
    "flags": st.integers(0, 2**32 - 1),
    "dropped_attributes": st.integers(0, 2**32 - 1),
    "dropped_events": st.integers(0, 2**32 - 1),
    "dropped_links": st.integers(0, 2**32 - 1),
}


@st.composite
def spans(draw: st.DrawFn) -> Span:
    sent = draw(attributes)
    lifted = {
        name: key
        for name, key in (("input", "input.value"), ("output", "output.value"))
        if isinstance(sent.get(key), str) and draw(st.booleans())
    }
    content = {name: sent[key] for name, key in lifted.items()}
    filled: dict[str, Any] = {
        "parent_span_id": draw(st.just(b"") | st.binary(min_size=8, max_size=8).filter(any)),
        "kind": draw(st.sampled_from(["llm", "tool", "span"])),
        "status": draw(st.sampled_from(["unset", "ok", "error"])),
        "start_ns": draw(times),
        "end_ns": draw(times),
        "is_local_root": draw(st.booleans()),
        "is_evaluation": draw(st.booleans()),
        "usage": draw(usages),
        "reported_cost_usd": draw(money),
        "computed_cost_usd": draw(money),
        "attributes": sent,
        "events": draw(events),
        "links": draw(links),
        **{name: draw(text_maps) for name in ("metadata", "trace_metadata")},
        **{name: draw(text_lists) for name in ("tags", "trace_tags", "finish_reasons")},
        **{name: draw(texts) for name in TEXT_FIELDS if name not in ("kind", "status")},
        **{name: draw(strategy) for name, strategy in NUMBERS.items()},
        "sources": lifted,
        **content,
    }
    return Span(
        project_id=uuid.uuid4(),
        trace_id=draw(st.binary(min_size=16, max_size=16)),
        span_id=draw(st.binary(min_size=8, max_size=8)),
        version=draw(times),
        received_ns=time.time_ns(),
        **filled,
    )


def exactly(value: Any) -> Any:
    """For comparing: NaN equals itself, -0.0 is not 0.0, True is not 1, attribute order is free."""
    if isinstance(value, float):
        return ("float", "nan" if math.isnan(value) else struct.pack("d", value))
    if isinstance(value, dict):
        return {key: exactly(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [exactly(item) for item in value]
    if isinstance(value, SpanEvent | SpanLink | Usage | Span):
        return {f.name: exactly(getattr(value, f.name)) for f in fields(value)}
    return (type(value).__name__, value)


@pytest.mark.usefixtures("store")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(span=spans())
def test_every_field_is_read_back_as_it_was_stored(span: Span) -> None:
    writer.store([span], [0])
    (found,) = SpanReader(span.project_id).spans(span.trace_id)
    assert exactly(found) == exactly(span)


@pytest.mark.usefixtures("store")
def test_ids_that_end_in_zero_bytes_are_ids_like_others() -> None:
    project_id, trace_id = uuid.uuid4(), b"\x07" * 15 + b"\0"
    made.stored(made.span(project_id, trace_id, 256), made.span(project_id, trace_id, 512, 256))
    found = SpanReader(project_id).spans(trace_id)
    assert [span.span_id for span in found] == [made.span_id(256), made.span_id(512)]
    assert found[1].parent_span_id == made.span_id(256)


@pytest.mark.usefixtures("store")
def test_a_text_in_input_and_in_an_attribute_is_stored_once() -> None:
    span = made.span(uuid.uuid4(), made.trace_id(), input="hello", attributes={"a": "hello"})
    span.sources = {"input": "a"}
    columns, names, _ = rows.to_columns([span], [0])
    row = dict(zip(names, (column[0] for column in columns), strict=True))
    assert row["attributes_string"] == {}
    assert row["attributes_json"] == {"a": "@input"}


HOSTILE: list[dict[str, Any]] = [
    {"name": "\ud800"},
    {"attributes": {"\udfff": "\ud800", "deep": [{"a": "\ud800"}], "huge": 10**400}},
    {"events": (SpanEvent(1, "\ud800", {"a": "\ud800"}),)},
    {"tags": ("\ud800",), "metadata": {"a": "\ud800"}},
    {"computed_cost_usd": Decimal(10) ** 12, "reported_cost_usd": Decimal("NaN")},
    {"usage": Usage(output=2**70, cache_read=-5, other={"a": 10**400, "b": math.nan})},
    {"otel_kind": -5},
    {"otel_kind": 70_000, "flags": 2**40, "dropped_events": -1, "git_source_line": 2**40},
    {"start_ns": -5, "end_ns": 2**65, "first_token_ns": -1},
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda fields: ",".join(fields))
@pytest.mark.usefixtures("store")
def test_what_fits_no_column_is_made_to_fit(hostile: dict[str, Any]) -> None:
    span = made.span(uuid.uuid4(), made.trace_id(), **hostile)
    made.stored(span)
    found = SpanReader(span.project_id).span(span.trace_id, span.span_id)
    assert found is not None
    assert found.end_ns > 0


@pytest.mark.usefixtures("store")
def test_half_of_a_surrogate_pair_becomes_the_replacement_character() -> None:
    span = made.span(uuid.uuid4(), made.trace_id(), name="a\ud800b", attributes={"k": ["\udc00"]})
    made.stored(span)
    found = SpanReader(span.project_id).span(span.trace_id, span.span_id)
    assert found is not None
    assert (found.name, found.attributes) == ("a\ufffdb", {"k": ["\ufffd"]})


def test_clamped_figures() -> None:
    assert cells.money(Decimal(10) ** 12) == Decimal("999999999.999999999")
    assert cells.money(Decimal("-Infinity")) is None
    assert cells.tokens(2**70) == 2**53
    assert cells.unsigned(-1, 8) == 0


YEAR = 365 * 86_400


@pytest.mark.parametrize("start", [0, 60 * YEAR, 230 * YEAR, -10 * YEAR])
def test_buckets_lie_within_28_weeks_whatever_the_clock(start: int) -> None:
    received = 56 * YEAR
    bucket = rows.bucket_seconds(start * 10**9, received * 10**9)
    assert received - 26 * 7 * 86_400 <= bucket <= received + 86_400


@pytest.mark.usefixtures("store")
def test_one_insert_takes_every_week_of_three_retention_classes() -> None:
    project_id, trace_id, now = uuid.uuid4(), made.trace_id(), time.time_ns()
    spread = [
        made.span(
            project_id, trace_id, 100 * week + kind + 1, start_ns=now - week * 604_800 * 10**9
        )
        for week in range(60)
        for kind in range(3)
    ]
    writer.store(spread, [(0, 30, 365)[n % 3] for n in range(len(spread))])
    assert len(SpanReader(project_id).spans(trace_id)) == len(spread)
