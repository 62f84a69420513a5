"""Texts and structured values made to fit a length. JSON stays JSON: its longest texts are cut, and
only where that is not enough entries are left out. What is cut says how long it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from traces.otlp import json_values
from traces.semconv import reading
from traces.spans import AttributeValue

_MARK_BEGINS = "… [cut: "
_SHORTEST = 64
"""Texts in JSON are cut no shorter; then entries go."""
_FEWEST_ENTRIES = 2
_MARK_ROOM = 48

Measure = Callable[[Any], int]


def cut(text: str, most: int) -> str:
    """At most `most` characters with the mark at their end (or the mark alone)."""
    if len(text) <= most:
        return text
    mark = f"{_MARK_BEGINS}{len(text):,} characters in all]"
    return text[: max(0, most - len(mark))] + mark


def fitted_text(text: str, most: int) -> str:
    """As `cut`; a text that is JSON stays valid JSON of the same shape."""
    if len(text) <= most:
        return text
    parsed = reading.parsed_json(text) if reading.looks_like_json(text) else None
    if isinstance(parsed, list | dict | str):
        try:
            found = reading.as_json(_shrunk(parsed, most, _json_chars))
        except RecursionError:  # nested deeper than anybody reads
            return cut(text, most)
        if len(found) <= most:
            return found
    return cut(text, most)


def fitted(value: AttributeValue, most: int) -> AttributeValue:
    """An attribute's value, of its own type."""
    if isinstance(value, str):
        return fitted_text(value, most)
    if isinstance(value, bytes):
        return value if len(value) * 4 <= most * 3 else value[: most * 3 // 4]
    if chars(value) <= most:
        return value
    shrunk: AttributeValue = _shrunk(value, most, chars)
    return shrunk


def chars(value: AttributeValue) -> int:
    """What a value counts: its text's length, else that of its OTLP JSON."""
    return len(value) if isinstance(value, str) else len(json_values.value_to_json(value))


def level(sizes: Sequence[int], budget: int) -> int:
    """The length to which the longest must be cut for all of them to fit into `budget`."""
    rest = budget
    for number, size in enumerate(sorted(sizes)):
        share = rest // (len(sizes) - number)
        if size > share:
            return max(share, 0)
        rest -= size
    return budget


def _json_chars(value: Any) -> int:
    return len(reading.as_json(value))


def _shrunk(value: Any, most: int, measure: Measure) -> Any:
    size = measure(value)
    lengths = _text_lengths(value)
    # What escapes add to a text counts as frame here, so that a second, shorter attempt may be due.
    longest = level(lengths, most - (size - sum(lengths)) - _MARK_ROOM)
    for attempt in (longest, longest // 2, longest // 8, _SHORTEST):
        if attempt >= _SHORTEST:
            found = _with_texts_cut(value, attempt)
            if measure(found) <= most:
                return found
    found = _with_texts_cut(value, _SHORTEST)
    entries = _most_entries(found)
    while entries > _FEWEST_ENTRIES:
        entries = max(_FEWEST_ENTRIES, entries // 2)
        found = _with_entries_cut(found, entries)
        if measure(found) <= most:
            return found
    return cut(reading.as_json(found), most)


def _text_lengths(value: Any) -> list[int]:
    found: list[int] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str | bytes):
            found.append(len(item))
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item.values())
    return found


def _most_entries(value: Any) -> int:
    most = 0
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list | dict):
            most = max(most, len(item))
            waiting.extend(item if isinstance(item, list) else item.values())
    return most


def _with_texts_cut(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return cut(value, most)
    if isinstance(value, bytes):
        return value[:most]
    if isinstance(value, list):
        return [_with_texts_cut(item, most) for item in value]
    if isinstance(value, dict):
        return {cut(key, most): _with_texts_cut(item, most) for key, item in value.items()}
    return value


def _with_entries_cut(value: Any, most: int) -> Any:
    """Of lists the beginning and the end stay: a conversation's last messages say most."""
    if isinstance(value, list):
        kept = value
        if len(value) > most:
            kept = [*value[: most // 2], *value[len(value) - (most - most // 2) :]]
        return [_with_entries_cut(item, most) for item in kept]
    if isinstance(value, dict):
        items = list(value.items())[:most]
        return {key: _with_entries_cut(item, most) for key, item in items}
    return value
