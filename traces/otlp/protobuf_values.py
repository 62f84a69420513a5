"""Attributes of protobuf messages as Python values. The hot path: each is touched once."""

from __future__ import annotations

from typing import Any

from traces.otlp.decoded import MAX_DEPTH, MalformedSpan, MalformedValue, too_deep
from traces.spans import Attributes, AttributeValue


def attributes(key_values: Any, depth: int = 0) -> Attributes:
    """Raises MalformedSpan for what is nested too deep, with the name of the outermost."""
    found: Attributes = {}
    try:
        for key_value in key_values:
            content = key_value.value
            # Most attributes are text, and this reads them with one call instead of two.
            found[key_value.key] = content.string_value or value(content, depth)
    except MalformedValue as error:
        if depth:
            raise
        raise MalformedSpan(f"attribute {key_value.key[:100]!r}: {error}") from None
    return found


def value_of(content: Any, name: str) -> AttributeValue:
    """One value outside of attributes; `name` is what MalformedSpan calls it."""
    try:
        return value(content)
    except MalformedValue as error:
        raise MalformedSpan(f"{name}: {error}") from None


def value(content: Any, depth: int = 0) -> AttributeValue:
    kind = content.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        _check_depth(depth)
        return [value(item, depth + 1) for item in content.array_value.values]
    if kind == "kvlist_value":
        _check_depth(depth)
        return attributes(content.kvlist_value.values, depth + 1)
    plain: AttributeValue = getattr(content, kind)
    return plain


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise too_deep()
