"""Typed reading of the objects of an OTLP/JSON request, tolerant where the specification or common
emitters are; what cannot be read raises MalformedSpan with a sentence.
"""

from __future__ import annotations

import math
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from typing import Any, TypeVar

from traces.otlp import deep_values
from traces.otlp.decoded import MAX_DEPTH, MalformedBody, MalformedValue, TooDeep
from traces.otlp.decoded import MalformedSpan as Malformed
from traces.otlp.deep_values import Lengths
from traces.spans import Attributes, AttributeValue

T = TypeVar("T")
_LONGEST_INTEGER = 24
_TOO_LARGE: int = 10**_LONGEST_INTEGER


def camel_cased(item: Any, error: type[ValueError] = MalformedBody) -> dict[str, Any]:
    """`item` with its field names as OTLP/JSON spells them; the names below it are left alone."""
    if not isinstance(item, dict):
        raise error(f"{described(item)} stands where an object is expected")
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


def each(owner: dict[str, Any], key: str, read: Callable[[Any], T]) -> list[T]:
    """The list's items, read; what is wrong with one says which it is."""
    items = []
    for index, item in enumerate(list_of(owner, key)):
        try:
            items.append(read(item))
        except Malformed as error:
            raise Malformed(f"{key}[{index}]: {error}") from None
    return items


def object_of(owner: dict[str, Any], key: str) -> dict[str, Any]:
    value = owner.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{key} is {described(value)}, not an object")
    return camel_cased(value, Malformed)


def text_of(owner: dict[str, Any], key: str, path: str = "") -> str:
    """`path` is where the owner lies in its span, for the message: `status.`."""
    value = owner.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{path}{key} is {described(value)}, not a string")
    return value


def integer_of(owner: dict[str, Any], key: str, maximum: int, path: str = "") -> int:
    value = owner.get(key)
    if value is None:
        return 0
    number = _whole(value)
    if number is None:
        raise Malformed(f"{path}{key} is {_shown(value)}, not a whole number")
    if number < 0:
        raise Malformed(f"{path}{key} is negative")
    if number >= _TOO_LARGE:
        raise Malformed(f"{path}{key} is too large, more than {maximum}")
    if number > maximum:
        raise Malformed(f"{path}{key} is {number}, more than {maximum}")
    return number


def number_of(owner: dict[str, Any], key: str) -> float | None:
    """A number, also as text; None where there is none."""
    value = owner.get(key)
    return None if value is None else _double_value(value, 0)


def _whole(value: Any) -> int | None:
    """A whole number; of those that nothing holds only that they are so large, and their sign."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if math.isinf(value):
            return _TOO_LARGE if value > 0 else -_TOO_LARGE
        return int(value) if value.is_integer() else None
    return _whole_text(value) if isinstance(value, str) else None


def _whole_text(text: str) -> int | None:
    sign = -1 if text[:1] == "-" else 1
    digits = text[1:] if text[:1] in ("-", "+") else text
    if not (digits.isascii() and digits.isdigit()):
        return None
    digits = digits.lstrip("0") or "0"
    return sign * (int(digits) if len(digits) <= _LONGEST_INTEGER else _TOO_LARGE)


def _shown(value: Any) -> str:
    """A value for a message: short, whatever it is and however deep."""
    if isinstance(value, (list, dict)):
        return described(value)
    return repr(value[:40] if isinstance(value, str) else value)[:40]


def enumerated(
    owner: dict[str, Any], key: str, prefix: str, names: dict[str, int], path: str = ""
) -> int:
    """Protobuf's enumerations are open: also numbers that mean nothing, and negative ones."""
    value = owner.get(key)
    if isinstance(value, str) and _whole_text(value) is None:
        number = names.get(value.upper().removeprefix(prefix))
        if number is None:
            raise Malformed(f"{path}{key} is {_shown(value)}, which OTLP does not know")
        return number
    if value is not None and -(2**31) <= (_whole(value) or 0) < 0:
        return _whole(value) or 0
    return integer_of(owner, key, 2**31 - 1, path)


def id_of(owner: dict[str, Any], key: str, length: int) -> bytes:
    text = text_of(owner, key)
    if not text:
        return b""
    if len(text) == 2 * length:
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise Malformed(f"{key} {_shown(text)} is not hexadecimal") from None
    raw = _from_base64(text) if len(text) in _base64_lengths(length) else None
    if raw is not None and len(raw) == length:
        return raw
    raise Malformed(
        f"{key} {_shown(text)} has {len(text)} characters, not {2 * length} hexadecimal"
    )


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


def described(value: Any) -> str:
    """The value's type with its article."""
    name = type_name(value)
    return name if value is None else f"an {name}" if name == "object" else f"a {name}"


def attributes_of(owner: dict[str, Any], place: str, cuts: Lengths) -> Attributes:
    """What is nested too deep is cut, and noted in `cuts` as `<place>.<key>`."""
    items = list_of(owner, "attributes")
    try:
        return _key_values(items, 0)
    except TooDeep:
        return _key_values([_fitted_pair(item, place, cuts) for item in items], 0)


def _fitted_pair(item: Any, place: str, cuts: Lengths) -> Any:
    try:
        _key_values([item], 0)
    except TooDeep:
        wire = deep_values.cut_wire(item["value"], place, item["key"], cuts)
        return {"key": item["key"], "value": wire}
    return item


def value_of(owner: dict[str, Any], key: str, cuts: Lengths) -> AttributeValue:
    """One OTLP value, such as a log record's body."""
    value = owner.get(key)
    try:
        try:
            return _value(value, 0)
        except TooDeep:
            return _value(deep_values.cut_wire(value, key, "", cuts), 0)
    except Malformed as error:
        raise Malformed(f"{key}: {error}") from None


def _key_values(items: list[Any], depth: int) -> Attributes:
    attributes: Attributes = {}
    for item in items:
        try:
            key = item["key"]
            value = item.get("value")
        except (KeyError, TypeError, AttributeError):
            raise Malformed("an attribute is not an object with a key and a value") from None
        if not isinstance(key, str):
            raise Malformed(f"an attribute's key is {described(key)}, not a string")
        try:
            attributes[key] = _value(value, depth)
        except Malformed as error:
            raise _named(error, key, depth) from None
    return attributes


def _named(error: Malformed, key: str, depth: int) -> Malformed:
    """The attribute and, where another one, the innermost name: a path would have no end."""
    if not depth:
        return Malformed(f"attribute {key[:100]!r}: {error}")
    if isinstance(error, MalformedValue):
        return error
    levels = "1 level" if depth == 1 else f"{depth} levels"
    return MalformedValue(f"{key[:100]!r}, {levels} down: {error}")


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
        raise Malformed(f"stringValue is {described(content)}, not a string")
    return content


def _bool_value(content: Any, depth: int) -> bool:
    if isinstance(content, bool):
        return content
    if content in ("true", "false"):
        return bool(content == "true")
    raise Malformed(f"boolValue is {_shown(content)}, not true or false")


def _int_value(content: Any, depth: int) -> int:
    number = _whole(content)
    if number is None:
        raise Malformed(f"intValue is {_shown(content)}, not a whole number")
    if not -(2**63) <= number < 2**63:
        raise Malformed("intValue is too large for a 64-bit integer")
    return number


def _double_value(content: Any, depth: int) -> float:
    if isinstance(content, (int, float, str)) and not isinstance(content, bool):
        try:
            return float(content)
        except OverflowError:
            raise Malformed("doubleValue is too large for a double") from None
        except ValueError:
            pass  # falls through to the one sentence for what is no number
    raise Malformed(f"doubleValue is {_shown(content)}, not a number")


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
        raise TooDeep
    if not isinstance(content, dict):
        raise Malformed(f"a list of values is {described(content)}, not an object")
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
