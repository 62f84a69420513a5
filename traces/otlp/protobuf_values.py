"""Attributes of protobuf messages as Python values. The hot path: each is touched once."""

from __future__ import annotations

from typing import Any

from traces.otlp import deep_values
from traces.otlp.decoded import MAX_DEPTH, TooDeep
from traces.otlp.deep_values import Lengths
from traces.spans import Attributes, AttributeValue

# The parser's own limit is far above what this allows: 100 messages, some fifty levels.
_ANY_DEPTH = -1_000


def attributes(key_values: Any, place: str, cuts: Lengths) -> Attributes:
    """What is nested too deep is cut, and noted in `cuts` as `<place>.<key>`."""
    found: Attributes = {}
    for key_value in key_values:
        content = key_value.value
        try:
            # Most attributes are text, and this reads them with one call instead of two.
            found[key_value.key] = content.string_value or value(content, 0)
        except TooDeep:
            key = key_value.key
            found[key] = deep_values.cut(value(content, _ANY_DEPTH), place, key, cuts)
    return found


def value_of(content: Any, place: str, cuts: Lengths) -> AttributeValue:
    """One value outside of attributes."""
    try:
        return value(content, 0)
    except TooDeep:
        return deep_values.cut(value(content, _ANY_DEPTH), place, "", cuts)


def value(content: Any, depth: int) -> AttributeValue:
    """Raises TooDeep."""
    kind = content.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        _check_depth(depth)
        return [value(item, depth + 1) for item in content.array_value.values]
    if kind == "kvlist_value":
        _check_depth(depth)
        entries = content.kvlist_value.values
        return {entry.key: value(entry.value, depth + 1) for entry in entries}
    plain: AttributeValue = getattr(content, kind)
    return plain


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise TooDeep
