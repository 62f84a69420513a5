"""Values nested deeper than anybody reads: the level below the deepest is left out, with a mark in
its place, and what it was part of is noted with its full length.

A length is that of the value's OTLP/JSON, in characters, escapes not counted.
"""

from __future__ import annotations

import re
from typing import Any

from traces.otlp import json_values
from traces.otlp.decoded import MAX_DEPTH
from traces.spans import AttributeValue

MARK = f"… [cut: nested deeper than {MAX_DEPTH} levels]"
Lengths = dict[str, int]
"""Place of each value that was cut, to its full length."""
SHARED = ("resource", "scope")
"""Noted as one, since every record of a request has what is noted of them."""
_MOST_NOTED, _PLACE_CHARS = 50, 200

_UNREAD = re.compile(r"… \[cut: (\d{1,12}) bytes nested too deep to be read\]")
_HOLDERS = ("arrayValue", "kvlistValue", "array_value", "kvlist_value")
_KINDS = {
    spelled: f"{name}Value"
    for name in ("string", "bool", "int", "double", "bytes", "array", "kvlist")
    for spelled in (f"{name}Value", f"{name}_value")
}


def unread(size: int) -> str:
    """What stands for `size` bytes that no parser goes into."""
    return f"… [cut: {size} bytes nested too deep to be read]"


def cut(value: AttributeValue, place: str, key: str, lengths: Lengths) -> AttributeValue:
    """`value` down to MAX_DEPTH levels. `key` is its name among the attributes of `place`, or
    empty.
    """
    _note(place, key, _length(json_values.to_wire(value)), lengths)
    return _cut(value, 0)


def cut_wire(value: Any, place: str, key: str, lengths: Lengths) -> Any:
    """The same of an OTLP/JSON value as it was parsed, whatever else is wrong with it."""
    _note(place, key, _length(value), lengths)
    return _cut_wire(value, 0)


def _note(place: str, key: str, length: int, lengths: Lengths) -> None:
    if place in SHARED:
        lengths[place] = lengths.get(place, 0) + length
        return
    named = f"{place}.{key}"[:_PLACE_CHARS] if key else place
    if named in lengths or len(lengths) < _MOST_NOTED:
        lengths[named] = lengths.get(named, 0) + length
    else:
        lengths["more values"] = lengths.get("more values", 0) + 1


def _cut(value: AttributeValue, depth: int) -> AttributeValue:
    if not isinstance(value, list | dict):
        return value
    if depth >= MAX_DEPTH:
        return MARK
    if isinstance(value, list):
        return [_cut(item, depth + 1) for item in value]
    return {key: _cut(item, depth + 1) for key, item in value.items()}


def _cut_wire(value: Any, depth: int) -> Any:
    if not isinstance(value, dict):
        return value
    if depth >= MAX_DEPTH and any(value.get(name) is not None for name in _HOLDERS):
        return {"stringValue": MARK}
    return {
        name: _cut_items(content, name, depth) if name in _HOLDERS else content
        for name, content in value.items()
    }


def _cut_items(content: Any, holder: str, depth: int) -> Any:
    items = content.get("values") if isinstance(content, dict) else None
    if not isinstance(items, list):
        return content
    if holder.startswith("array"):
        return {**content, "values": [_cut_wire(item, depth + 1) for item in items]}
    return {**content, "values": [_cut_pair(item, depth + 1) for item in items]}


def _cut_pair(pair: Any, depth: int) -> Any:
    if not isinstance(pair, dict) or "value" not in pair:
        return pair
    return {**pair, "value": _cut_wire(pair["value"], depth)}


def _length(value: Any) -> int:
    """By hand, since encoders give up on depths that parsers still read; the same however a value
    was spelled.
    """
    length = 0
    rest = [value]
    while rest:
        item = rest.pop()
        kind, content = _kind(item)
        length += _unread_length(item) + _unread_length(content)
        length += len(f'{{"{kind}":}}') if kind else len("{}")
        if kind == "stringValue":
            length += _text_length(content)
        elif kind in ("arrayValue", "kvlistValue"):
            items = content.get("values") if isinstance(content, dict) else None
            listed = items if isinstance(items, list) else []
            length += _unread_length(items)
            length += len('{"values":[]}') + max(0, len(listed) - 1)
            if kind == "arrayValue":
                rest.extend(listed)
                continue
            for pair in listed:
                length += _unread_length(pair)
                held = pair if isinstance(pair, dict) else {}
                length += len('{"key":,"value":}') + _text_length(held.get("key"))
                rest.append(held.get("value"))
        elif kind:
            length += _plain_length(kind, content)
    return length


def _kind(value: Any) -> tuple[str, Any]:
    """What an OTLP/JSON value is, and its content; empty for what is none."""
    for name, content in value.items() if isinstance(value, dict) else ():
        kind = _KINDS.get(name)
        if kind and content is not None:
            return kind, content
    return "", None


def _text_length(text: Any) -> int:
    if not isinstance(text, str):
        return len('""')
    return len('""') + len(text)


def _unread_length(content: Any) -> int:
    """Of what a parser was spared: the text for it stands in any place."""
    found = _UNREAD.fullmatch(content) if isinstance(content, str) else None
    return int(found[1]) if found else 0


def _plain_length(kind: str, content: Any) -> int:
    if kind == "boolValue":
        return len("true" if content in (True, "true") else "false")
    if kind == "bytesValue":
        return len('""') + -(-len(str(content).rstrip("=")) // 4) * 4
    try:
        if kind == "intValue":
            return len(f'"{int(content)}"')
        return len(json_values.value_to_json(float(content))) - len('{"doubleValue":}')
    except (ValueError, TypeError, OverflowError):
        return len(f'"{content}"')
