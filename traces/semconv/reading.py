"""Attribute values read as text, numbers, lists, maps. Nothing here raises, whatever was sent."""

from __future__ import annotations

import json
import math
import re
from base64 import b64encode
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from traces.spans import AttributeValue

_MAX_COUNT = 2**53
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(enc_hook=lambda value: str(value)).encode


def text(value: AttributeValue) -> str:
    """Text verbatim, anything else as compact JSON."""
    return value if isinstance(value, str) else as_json(value)


def as_json(value: Any) -> str:
    return _encode(_plain(value)).decode()


def parsed_json(value: Any) -> Any:
    """What a JSON text holds, or None when it is none. Structured values come back unchanged."""
    if not isinstance(value, str):
        return value
    try:
        return _decode(value)
    except (msgspec.MsgspecError, UnicodeError):
        return _parsed_leniently(value)
    except RecursionError:
        return None


def _parsed_leniently(text: str) -> Any:
    """NaN, and halves of surrogate pairs where somebody cut text off: strict JSON has neither."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        loose = json.dumps(json.loads(text), ensure_ascii=False)
        return json.loads(_LONE_SURROGATE.sub("\ufffd", loose))
    except (ValueError, RecursionError):
        return None


def looks_like_json(value: str) -> bool:
    return value.lstrip()[:1] in ("{", "[", '"')


def count(value: Any) -> int | None:
    """A number of tokens: whole and not negative, also when it was sent as text."""
    if type(value) is int:  # nearly always
        return value if 0 <= value <= _MAX_COUNT else None
    number = decimal(value)
    if number is None or number < 0 or number > _MAX_COUNT or number != int(number):
        return None
    return int(number)


def decimal(value: Any) -> Decimal | None:
    """A finite number of sane size; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and len(value) > 40:
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 30 else None


def words(value: AttributeValue) -> tuple[str, ...]:
    """A list of text: an array, a JSON array in a string, or one string."""
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        parsed = parsed_json(value)
        if isinstance(parsed, list):
            value = parsed
    items = value if isinstance(value, list) else [value]
    return tuple(text(item) for item in items if item is not None and item != "")


def entries(value: AttributeValue) -> dict[str, str]:
    """A map of text: a kvlist, a JSON object in a string, or one value under the name `value`."""
    parsed = parsed_json(value) if isinstance(value, str) else value
    if isinstance(parsed, dict):
        return {str(key): text(item) for key, item in parsed.items() if item is not None}
    return {} if value is None or value == "" or parsed in ([], "") else {"value": text(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value
