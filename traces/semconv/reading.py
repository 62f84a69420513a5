"""Attribute values read as text, numbers, lists, maps. Nothing here raises, whatever was sent."""

from __future__ import annotations

import ast
import json
import math
import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from traces.spans import AttributeValue

WITHHELD = frozenset({"<REDACTED>", "[REDACTED]"})
"""What agents write in place of content that they were told not to send."""
_MAX_COUNT = 2**53
_MOST_LEVELS = 100
_CUT = "…"
_LONGEST_LITERAL = 4_000
_USER_INFORMATION = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]{0,20})://([^/\s]*)@")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(enc_hook=lambda value: str(value)).encode


def text(value: AttributeValue) -> str:
    """Text verbatim, anything else as compact JSON."""
    return value if isinstance(value, str) else as_json(value)


def without_secrets(address: str) -> str:
    """A repository's address without the password or token that may stand before its host: all
    members see it. Over SSH the name is a part of the address, over HTTP it may be the token."""
    found = _USER_INFORMATION.match(address) if "@" in address else None
    if found is None:
        return address
    scheme, said = found.groups()
    name = "" if scheme.lower() in {"http", "https"} else f"{said.partition(':')[0]}@"
    return f"{scheme}://{name}{address[found.end() :]}"


def as_json(value: Any) -> str:
    """What is nested deeper than we can write is cut: JSON within an attribute has no limit."""
    try:
        return _encode(_plain(value)).decode()
    except (RecursionError, UnicodeEncodeError):
        return _encode(_mended(value, _MOST_LEVELS)).decode()


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


def parsed_structure(value: Any) -> Any:
    """As `parsed_json`, and also Python's own text of a dictionary or a list."""
    parsed = parsed_json(value)
    if parsed is None and isinstance(value, str) and value[:2] in ("{'", "[{", "['"):
        return _parsed_literal(value) if len(value) < _LONGEST_LITERAL else None
    return parsed


def _parsed_literal(text: str) -> Any:
    """By way of JSON: Python's literals also have sets, bytes and keys that are no text."""
    try:
        return _decode(as_json(ast.literal_eval(text)))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None  # a TypeError where a set or a key cannot be hashed


def _parsed_leniently(text: str) -> Any:
    """NaN, and halves of surrogate pairs where somebody cut text off: strict JSON has neither."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        loose = json.dumps(json.loads(text), ensure_ascii=False)
        return json.loads(_LONE_SURROGATE.sub("\ufffd", loose))
    except (ValueError, RecursionError):
        return None


def at(value: Any, path: Sequence[str]) -> Any:
    """What lies at the end of `path` in nested objects and lists, or None.

    Of a list the key is a number from the start, or `-1` for the last.
    """
    for key in path:
        if isinstance(value, list):
            index = len(value) - 1 if key == "-1" else int(key) if key.isdecimal() else -1
            value = value[index] if 0 <= index < len(value) else None
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    return value


def unquoted(text: str) -> str:
    """A JSON string's content (some SDKs quote every text), anything else as it is."""
    if len(text) > 1 and text[0] == '"' == text[-1]:
        parsed = parsed_json(text)
        if isinstance(parsed, str):
            return parsed
    return text


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


def total(value: AttributeValue) -> str | None:
    """Of an object of numbers (also as JSON) its `total`, else their sum; None when it has none."""
    found = parsed_json(value)
    if not isinstance(found, dict):
        return None
    named = decimal(found.get("total"))
    if named is not None:
        return str(named)
    numbers = [number for item in found.values() if (number := decimal(item)) is not None]
    return str(sum(numbers, Decimal(0))) if numbers else None


def moment_ns(value: AttributeValue) -> int:
    """A moment in ISO 8601 (also quoted as JSON) or in milliseconds since 1970, or 0.

    Without an offset it is UTC.
    """
    if type(value) is int:
        return value * 10**6 if 0 < value < 2**43 else 0
    if not isinstance(value, str) or len(value) > 50:
        return 0
    try:
        moment = datetime.fromisoformat(value.strip('"'))
    except ValueError:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000


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


def _mended(value: Any, levels: int) -> Any:
    """As `_plain`, cut off below so many levels, with U+FFFD for halves of surrogate pairs."""
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if not isinstance(value, (list, dict)):
        return _plain(value)
    if not levels:
        return _CUT
    if isinstance(value, list):
        return [_mended(item, levels - 1) for item in value]
    return {_mended(str(key), levels): _mended(item, levels - 1) for key, item in value.items()}
