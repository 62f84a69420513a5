"""Attribute values to exact OTLP/JSON and back: 64-bit integers as strings, bytes as base64, NaN
and the infinities by name (protobuf's JSON mapping). The store keeps
so what is not text.

Reading requests of others, tolerantly, is `json_codec`; this reads what this module wrote.
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from typing import Any

import msgspec

from traces.spans import Attributes, AttributeValue

_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def value_to_json(value: AttributeValue) -> str:
    """One AnyValue: `{"intValue":"7"}`. An empty value is `{}`."""
    return _encode(to_wire(value)).decode()


def value_from_json(text: str) -> AttributeValue:
    """The inverse of `value_to_json`; raises ValueError on anything else."""
    return from_wire(_decode(text))


def values_to_json(attributes: Attributes) -> str:
    """An attribute list: `[{"key":"a","value":{"stringValue":"b"}}]`, in the order given."""
    return _encode(to_wire_list(attributes)).decode()


def values_from_json(text: str) -> Attributes:
    """The inverse of `values_to_json`; raises ValueError on anything else."""
    return from_wire_list(_decode(text))


def scope_to_json(
    name: str, version: str, attributes: Attributes, dropped: int = 0, schema_url: str = ""
) -> str:
    """An instrumentation scope: `{"name":"a","version":"1"}`; what is empty is left out."""
    content = {
        "name": name,
        "version": version,
        "attributes": to_wire_list(attributes),
        "droppedAttributesCount": dropped,
        "schemaUrl": schema_url,
    }
    return _encode({key: value for key, value in content.items() if value}).decode()


def to_wire(value: AttributeValue) -> dict[str, Any]:
    """One AnyValue as JSON-ready objects."""
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else _name_of(value)}
    if isinstance(value, bytes):
        return {"bytesValue": b64encode(value).decode()}
    if isinstance(value, list):
        return {"arrayValue": {"values": [to_wire(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": to_wire_list(value)}}
    return {}


def to_wire_list(attributes: Attributes) -> list[dict[str, Any]]:
    """An attribute list as JSON-ready objects."""
    return [{"key": key, "value": to_wire(value)} for key, value in attributes.items()]


def from_wire(value: Any) -> AttributeValue:
    """The inverse of `to_wire`; raises ValueError on anything else."""
    if value == {}:
        return None
    try:
        ((kind, content),) = value.items()
        read: AttributeValue = _READERS[kind](content)
        return read
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not an OTLP/JSON value: {str(value)[:80]}") from error


def from_wire_list(values: Any) -> Attributes:
    """The inverse of `to_wire_list`; raises ValueError on anything else."""
    try:
        return {item["key"]: from_wire(item["value"]) for item in values}
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an OTLP/JSON attribute list: {str(values)[:80]}") from error


def _name_of(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _read_double(content: Any) -> float:
    return _NON_FINITE[content] if isinstance(content, str) else float(content)


_READERS: dict[str, Any] = {
    "stringValue": str,
    "boolValue": bool,
    "intValue": int,
    "doubleValue": _read_double,
    "bytesValue": b64decode,
    "arrayValue": lambda content: [from_wire(item) for item in content["values"]],
    "kvlistValue": lambda content: from_wire_list(content["values"]),
}
