"""Finds the spans of a request that exceed the limits, and cuts them.

Finding them is on the hot path and reads the columns that were made for the store, where most of it
is done in C; cutting is for the few. Fields were normalised from the whole values before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import lru_cache
from operator import add
from typing import Any

import msgspec

from traces.cutting import values
from traces.cutting.limits import CutLimits
from traces.otlp import json_values
from traces.spans import Attributes, Span, SpanEvent, SpanLink
from traces.store.batches import Batch

GROWTH = 6
"""A byte of a request is at most so many characters of what is stored (`\\u0001`, `{"key":...`)."""
_GROWN_COLUMNS = ("input", "output", "events_json", "links_json", "scope_json")
_PLAIN_COLUMNS = ("name", "status_message", "error_message", "trace_state")
_ID_COLUMNS = (
    "session_id", "user_id", "agent_name", "agent_id", "tool_name", "model", "environment",
    "release", "service_name",
)  # fmt: skip
"""What spans are told apart and grouped by: as long as a key may be. Some stand in the resource."""
_MOST_RECORDED = 50
_CACHED_CHARS = 32_768
_SAME_LENGTH = frozenset({"resource_json", "scope_json", "input", "output"})
_TEXTS = tuple(f.name for f in fields(Span) if f.type == "str" and f.name not in _SAME_LENGTH)
_MAPS = ("metadata", "trace_metadata")
_LISTS = ("tags", "trace_tags", "finish_reasons")
_SHARED_CHARS = 64 * 1024**2
"""Of the resources of a request, and of its scopes: they are sent once and stored with each of
their records.
"""
_PAIR_CHARS = 60
"""Around an attribute's name and value in OTLP JSON."""


def cut(spans: Sequence[Span], batch: Batch, body_bytes: int, limits: CutLimits) -> int:
    """Cut what exceeds the limits, in place; returns how many spans that were, with those that
    were nested too deep.

    `batch` holds the same spans as columns, made before; they are to be made anew then.
    """
    if not spans:
        return 0
    resources = fitted_resources([span.resource_json for span in spans], limits)
    scopes = fitted_scopes([span.scope_json for span in spans], limits)
    over = _over(spans, batch, body_bytes, limits)
    for number in over:
        _cut_span(spans[number], limits)
    for span in spans if resources else ():
        fitted = resources.get(span.resource_json)
        if fitted is not None:
            span.truncated = {**span.truncated, "resource": len(span.resource_json)}
            span.resource_json = fitted
    for span in spans if scopes else ():
        fitted = scopes.get(span.scope_json)
        if fitted is not None:
            span.truncated = {**span.truncated, "scope": len(span.scope_json)}
            span.scope_json = fitted
    return sum(1 for span in spans if span.truncated)


def _over(spans: Sequence[Span], batch: Batch, body_bytes: int, limits: CutLimits) -> list[int]:
    """Which spans exceed them. First only the largest of all: mostly that is enough."""
    texts, others = batch.column("attributes_string"), batch.column("attributes_json")
    found: set[int] = set()
    if max(map(len, texts)) + max(map(len, others)) > limits.attributes:
        found.update(n for n, span in enumerate(spans) if len(span.attributes) > limits.attributes)
    if max(map(len, set().union(*texts, *others)), default=0) > limits.key_chars:
        found.update(
            n for n, span in enumerate(spans) if _longest_key(span.attributes) > limits.key_chars
        )
    if any(batch.column("events_json")) or any(batch.column("links_json")):
        found.update(
            n
            for n, span in enumerate(spans)
            if (span.events or span.links) and _has_too_much_beside(span, limits)
        )
    for name in _ID_COLUMNS:
        column = batch.column(name)
        if max(map(len, column)) > limits.key_chars:
            found.update(n for n, text in enumerate(column) if len(text) > limits.key_chars)
    most = min(limits.value_chars, limits.span_chars)
    if body_bytes * GROWTH > most and _largest(batch, body_bytes, most) > most:
        sizes = _sizes(batch)
        found.update(n for n, size in enumerate(sizes) if size > most)
    return sorted(found)


def _largest(batch: Batch, body_bytes: int, most: int) -> int:
    """No span holds more. What stands in the request as it is stored is no longer than that."""
    grown = sum(max(map(len, batch.column(name))) for name in _GROWN_COLUMNS)
    grown += max(map(_chars, batch.column("attributes_json")))
    if grown + body_bytes <= most:
        return grown + body_bytes
    plain = sum(max(map(len, batch.column(name))) for name in _PLAIN_COLUMNS)
    return grown + plain + max(map(_chars, batch.column("attributes_string")))


def _sizes(batch: Batch) -> list[int]:
    sizes = [
        _chars(text) + _chars(other)
        for text, other in zip(
            batch.column("attributes_string"), batch.column("attributes_json"), strict=True
        )
    ]
    for name in (*_GROWN_COLUMNS, *_PLAIN_COLUMNS):
        sizes = list(map(add, sizes, map(len, batch.column(name))))
    return sizes


def _chars(texts: dict[str, str]) -> int:
    return len("".join(texts.values()))


def _beside(span: Span) -> list[SpanEvent | SpanLink]:
    return [*span.events, *span.links]


def _longest_key(attributes: Attributes) -> int:
    return max(map(len, attributes), default=0)


def _has_too_much_beside(span: Span, limits: CutLimits) -> bool:
    if len(span.events) > limits.events or len(span.links) > limits.links:
        return True
    return any(
        len(item.attributes) > limits.attributes or _longest_key(item.attributes) > limits.key_chars
        for item in _beside(span)
    )


class _Cuts:
    """What was cut of one span: its place and its length before."""

    def __init__(self) -> None:
        self.lengths: dict[str, int] = {}
        self._more = 0

    def note(self, place: str, length: int) -> None:
        if len(self.lengths) < _MOST_RECORDED:
            self.lengths[values.cut(place, 200)] = length
        else:
            self._more += 1

    def done(self) -> dict[str, int]:
        return {**self.lengths, "more values": self._more} if self._more else self.lengths


def _cut_span(span: Span, limits: CutLimits) -> None:
    cuts = _Cuts()
    wanted = {source.partition("#")[0] for source in span.sources.values()}
    span.attributes, dropped = _fewer(span.attributes, limits, "attributes", cuts, wanted)
    span.dropped_attributes += dropped
    span.dropped_events += _cut_list(span, "events", limits.events, cuts)
    span.dropped_links += _cut_list(span, "links", limits.links, cuts)
    span.events = [_with_fewer(event, limits, "events", cuts) for event in span.events]
    span.links = [_with_fewer(link, limits, "links", cuts) for link in span.links]
    most = _longest_allowed(span, limits)
    _cut_content(span, most, cuts)
    _cut_beside(span, most, cuts)
    for name in _TEXTS:
        text = getattr(span, name)
        longest = min(most, limits.key_chars) if name in _ID_COLUMNS else most
        if len(text) > longest:
            cuts.note(name, len(text))
            setattr(span, name, values.cut(text, longest))
    _cut_derived(span, most)
    span.truncated = {**span.truncated, **cuts.done()}


def _fewer(
    attributes: Attributes,
    limits: CutLimits,
    place: str,
    cuts: _Cuts,
    wanted: set[str] | frozenset[str] = frozenset(),
) -> tuple[Attributes, int]:
    """Not too many, with keys that are not too long; those that gave a field stay in any case."""
    kept = attributes
    if len(attributes) > limits.attributes:
        cuts.note(place, len(attributes))
        first = [name for name in attributes if name in wanted][: limits.attributes]
        others = [name for name in attributes if name not in wanted]
        chosen = {*first, *others[: limits.attributes - len(first)]}
        kept = {name: value for name, value in attributes.items() if name in chosen}
    if _longest_key(kept) > limits.key_chars:
        for name in kept:
            if len(name) > limits.key_chars:
                cuts.note(f"{place}.{name} (name)", len(name))
        kept = {values.cut(name, limits.key_chars): value for name, value in kept.items()}
    return kept, len(attributes) - len(kept)


def _cut_list(span: Span, name: str, most: int, cuts: _Cuts) -> int:
    items = getattr(span, name)
    if len(items) <= most:
        return 0
    cuts.note(name, len(items))
    setattr(span, name, items[:most])
    return len(items) - most


def _with_fewer(item: Any, limits: CutLimits, place: str, cuts: _Cuts) -> Any:
    kept, dropped = _fewer(item.attributes, limits, f"{place}.attributes", cuts)
    return replace(item, attributes=kept) if dropped or kept is not item.attributes else item


def _longest_allowed(span: Span, limits: CutLimits) -> int:
    """Of any value, so that the whole span fits too."""
    held = _held(span)
    sizes = [values.chars(value) for name, value in span.attributes.items() if name not in held]
    sizes += [len(span.input), len(span.output)]
    sizes += [values.chars(item.attributes) for item in _beside(span)]
    frame = sum(map(len, span.attributes)) + sum(len(event.name) for event in span.events)
    return min(limits.value_chars, values.level(sizes, max(0, limits.span_chars - frame)))


def _held(span: Span) -> dict[str, str]:
    """Attributes whose text stands in `input` or `output` and is not stored a second time."""
    return {
        name: side
        for side in ("input", "output")
        if (name := span.sources.get(side, "")) in span.attributes
        and span.attributes[name] == getattr(span, side)
    }


def _cut_content(span: Span, most: int, cuts: _Cuts) -> None:
    held = _held(span)
    for side in ("input", "output"):
        text = getattr(span, side)
        if len(text) > most:
            cuts.note(side, len(text))
            setattr(span, side, values.fitted_text(text, most))
    cut_attributes = dict(span.attributes)
    for name, value in span.attributes.items():
        if name in held:
            cut_attributes[name] = getattr(span, held[name])
        elif (length := values.chars(value)) > most:
            cuts.note(f"attributes.{name}", length)
            cut_attributes[name] = values.fitted(value, most)
    span.attributes = cut_attributes


def _cut_beside(span: Span, most: int, cuts: _Cuts) -> None:
    events: list[SpanEvent] = []
    for number, event in enumerate(span.events):
        kept = _cut_attributes(event.attributes, most, f"events.{number}", cuts)
        events.append(replace(event, name=values.cut(event.name, most), attributes=kept))
    links: list[SpanLink] = []
    for number, link in enumerate(span.links):
        kept = _cut_attributes(link.attributes, most, f"links.{number}", cuts)
        links.append(replace(link, trace_state=values.cut(link.trace_state, most), attributes=kept))
    span.events, span.links = events, links


def _cut_attributes(attributes: Attributes, most: int, place: str, cuts: _Cuts) -> Attributes:
    length = values.chars(attributes)
    if length <= most:
        return attributes
    cuts.note(place, length)
    kept = values.fitted(attributes, most)
    return kept if isinstance(kept, dict) else {"cut": kept}


def _cut_derived(span: Span, most: int) -> None:
    """What was read out of attributes, which are noted themselves."""
    for name in _MAPS:
        entries = getattr(span, name)
        if sum(map(len, entries.values())) > most:
            longest = values.level([len(text) for text in entries.values()], most)
            setattr(span, name, {key: values.cut(text, longest) for key, text in entries.items()})
    for name in _LISTS:
        texts = getattr(span, name)
        if sum(map(len, texts)) > most:
            longest = values.level([len(text) for text in texts], most)
            setattr(span, name, tuple(values.cut(text, longest) for text in texts))


def fitted_resources(texts: Sequence[str], limits: CutLimits) -> dict[str, str]:
    """Of each resource that exceeds the limits what stays of it. `texts` has one a record."""
    found = {}
    counted = Counter(texts)
    room = _room(counted)
    for text in counted:
        # Shorter than one key may be: nothing in it can be over.
        if len(text) > min(limits.key_chars, limits.attributes, room):
            read = _fitted_resource if len(text) <= _CACHED_CHARS else _fitted_resource.__wrapped__
            fitted = read(text, limits)
            if len(fitted) > room:
                first = _first_that_fit(json_values.values_from_json(fitted), room)
                fitted = json_values.values_to_json(first)
            if fitted != text:
                found[text] = fitted
    return found


def fitted_scopes(texts: Sequence[str], limits: CutLimits) -> dict[str, str]:
    """The same of scopes."""
    counted = Counter(texts)
    room = min(limits.value_chars, _room(counted))
    return {text: _fitted_scope(text, room, limits) for text in counted if len(text) > room}


def _room(counted: Counter[str]) -> int:
    """Characters that each may have, so that all records' together are at most _SHARED_CHARS."""
    if sum(len(text) * count for text, count in counted.items()) <= _SHARED_CHARS:
        return _SHARED_CHARS
    return _SHARED_CHARS // counted.total()


def _first_that_fit(attributes: Attributes, room: int) -> Attributes:
    """With a mark for those that do not."""
    kept: Attributes = {}
    for name, value in attributes.items():
        size = len(name) + values.chars(value) + _PAIR_CHARS
        if size <= room:
            kept[name] = value
            room -= size
    if left := len(attributes) - len(kept):
        kept["…"] = f"[cut: {left:,} more attributes]"
    return kept


@lru_cache(maxsize=512)
def _fitted_resource(text: str, limits: CutLimits) -> str:
    attributes, _ = _fewer(json_values.values_from_json(text), limits, "resource", _Cuts())
    sizes = [values.chars(value) for value in attributes.values()]
    most = min(limits.value_chars, values.level(sizes, limits.span_chars))
    return json_values.values_to_json(
        {name: values.fitted(value, most) for name, value in attributes.items()}
    )


def _fitted_scope(text: str, room: int, limits: CutLimits) -> str:
    scope = msgspec.json.decode(text)
    attributes = _cut_attributes(
        json_values.from_wire_list(scope.get("attributes", [])),
        limits.value_chars // 2,
        "scope",
        _Cuts(),
    )
    return json_values.scope_to_json(
        values.cut(scope.get("name", ""), limits.key_chars),
        values.cut(scope.get("version", ""), limits.key_chars),
        _first_that_fit(attributes, room),
        scope.get("droppedAttributesCount", 0),
        values.cut(scope.get("schemaUrl", ""), limits.key_chars),
    )
