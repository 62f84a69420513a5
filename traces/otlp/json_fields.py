"""Typed reading of the objects of an OTLP/JSON request, tolerant where the specification or common
emitters are; what cannot be read raises MalformedSpan with a sentence.
"""

from __future__ import annotations

import math
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from typing import Any

from traces.otlp.decoded import MAX_DEPTH, MalformedBody
from traces.otlp.decoded import MalformedSpan as Malformed
from traces.spans import Attributes, AttributeValue


def camel_cased(item: Any, error: type[ValueError] = MalformedBody) -> dict[str, Any]:
    """`item` with its field names as OTLP/JSON spells them; the names below it are left alone."""
    if not isinstance(item, dict):
        raise error(f"a {type_name(item)} stands where an object is expected")
    if any("_" in key for key in item):
        return {_camel(key): value for key, value in item.items()}
    return item


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(part.capitalize() for part in rest)


def list_of(owner: dict[str, Any], key: str, error: type[ValueError] = Malformed) -> list[Any]:
    value = owner.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise error(f"{key} is of type {type_name(value)}, not a list")
    return value


def object_of(owner: dict[str, Any], key: str) -> dict[str, Any]:
    value = owner.get(key)
    return {} if value is None else camel_cased(value, Malformed)


def text_of(owner: dict[str, Any], key: str) -> str:
    value = owner.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{key} is a {type_name(value)}, not a string")
    return value


def integer_of(owner: dict[str, Any], key: str, maximum: int) -> int:
    value = owner.get(key)
    if value is None:
        return 0
    number = _whole(value)
    if number is None:
        raise Malformed(f"{key} is {value!r:.40}, not a whole number")
    if number < 0:
        raise Malformed(f"{key} is negative")
    if number > maximum:
        raise Malformed(f"{key} is {number}, more than {maximum}")
    return number


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value == int(value) else None
    if isinstance(value, str) and len(value) <= 24:
        try:
            return int(value) if value.isascii() and "_" not in value else None
        except ValueError:
            return None
    return None


def enumerated(owner: dict[str, Any], key: str, prefix: str, names: dict[str, int]) -> int:
    value = owner.get(key)
    if isinstance(value, str) and not value.isdigit():
        number = names.get(value.upper().removeprefix(prefix))
        if number is None:
            raise Malformed(f"{key} is {value!r:.40}, which OTLP does not know")
        return number
    return integer_of(owner, key, 2**31 - 1)


def id_of(owner: dict[str, Any], key: str, length: int) -> bytes:
    text = text_of(owner, key)
    if not text:
        return b""
    if len(text) == 2 * length:
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise Malformed(f"{key} {text!r} is not hexadecimal") from None
    raw = _from_base64(text) if len(text) in _base64_lengths(length) else None
    if raw is not None and len(raw) == length:
        return raw
    raise Malformed(f"{key} {text!r:.60} has {len(text)} characters, not {2 * length} hexadecimal")


def _base64_lengths(length: int) -> tuple[int, int]:
    return -(-length * 4 // 3), -(-length // 3) * 4


def _from_base64(text: str) -> bytes | None:
    standard = text.replace("-", "+").replace("_", "/")
    try:
        return b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (Base64Error, ValueError):
        return None


def type_name(value: Any) -> str:
    if value is None:
        return "null"
    names = {dict: "object", list: "list", str: "string", bool: "boolean"}
    return names.get(type(value), "number")


def attributes_of(owner: dict[str, Any]) -> Attributes:
    return _key_values(list_of(owner, "attributes"), 0)


def _key_values(items: list[Any], depth: int) -> Attributes:
    attributes: Attributes = {}
    for item in items:
        try:
            key = item["key"]
            value = item.get("value")
        except (KeyError, TypeError, AttributeError):
            raise Malformed("an attribute is not an object with a key and a value") from None
        if not isinstance(key, str):
            raise Malformed(f"an attribute's key is a {type_name(key)}, not a string")
        try:
            attributes[key] = _value(value, depth)
        except Malformed as error:
            raise Malformed(f"attribute {key[:100]!r}: {error}") from None
    return attributes


def _value(value: Any, depth: int) -> AttributeValue:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Malformed(f"its value is a bare {type_name(value)}, not an OTLP value")
    for kind, content in value.items():
        reader = _READERS.get(kind)
        if reader is not None and content is not None:
            return reader(content, depth)
    return None


def _string_value(content: Any, depth: int) -> str:
    if not isinstance(content, str):
        raise Malformed(f"stringValue is a {type_name(content)}")
    return content


def _bool_value(content: Any, depth: int) -> bool:
    if isinstance(content, bool):
        return content
    if content in ("true", "false"):
        return bool(content == "true")
    raise Malformed(f"boolValue is {content!r:.40}")


def _int_value(content: Any, depth: int) -> int:
    number = _whole(content)
    if number is None or not -(2**63) <= number < 2**63:
        raise Malformed(f"intValue is {content!r:.40}, not a 64-bit integer")
    return number


def _double_value(content: Any, depth: int) -> float:
    if isinstance(content, (int, float, str)) and not isinstance(content, bool):
        try:
            return float(content)
        except (ValueError, OverflowError):
            pass
    raise Malformed(f"doubleValue is {content!r:.40}, not a number")


def _bytes_value(content: Any, depth: int) -> bytes:
    raw = _from_base64(content) if isinstance(content, str) else None
    if raw is None:
        raise Malformed("bytesValue is not base64")
    return raw


def _array_value(content: Any, depth: int) -> list[AttributeValue]:
    return [_value(item, depth + 1) for item in _nested_values(content, depth)]


def _kvlist_value(content: Any, depth: int) -> Attributes:
    return _key_values(_nested_values(content, depth), depth + 1)


def _nested_values(content: Any, depth: int) -> list[Any]:
    if depth >= MAX_DEPTH:
        raise Malformed(f"it is nested deeper than {MAX_DEPTH} levels")
    if not isinstance(content, dict):
        raise Malformed(f"a list of values is a {type_name(content)}")
    return list_of(content, "values")


_READERS: dict[str, Callable[[Any, int], AttributeValue]] = {
    "stringValue": _string_value,
    "boolValue": _bool_value,
    "intValue": _int_value,
    "doubleValue": _double_value,
    "bytesValue": _bytes_value,
    "arrayValue": _array_value,
    "kvlistValue": _kvlist_value,
    "string_value": _string_value,
    "bool_value": _bool_value,
    "int_value": _int_value,
    "double_value": _double_value,
    "bytes_value": _bytes_value,
    "array_value": _array_value,
    "kvlist_value": _kvlist_value,
}
