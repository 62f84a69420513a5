"""Attribute values for JSON."""

from __future__ import annotations

from typing import Any


def jsonable(value: Any) -> Any:
    """An attribute value for JSON: bytes as hex, what JSON has no number for as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and value not in (float("inf"), float("-inf")) and value == value:
        return value
    if isinstance(value, float):
        return str(value)
    if isinstance(value, list):
        return [jsonable(item) for item in value]
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items()}
    return value
