"""Values made to fit their columns, so that one hostile span cannot poison an INSERT it shares.

Clamped figures stay true in the span's attributes, which keep what was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from itertools import chain, filterfalse
from typing import Any, TypeVar

from traces.logs import Log
from traces.spans import Span, SpanEvent, SpanLink, Usage

R = TypeVar("R", Span, Log)

# Not 2**64: five buckets are added up in SQL, and a browser's numbers end here.
MAX_TOKENS = 2**53
_MAX_MONEY = Decimal("999999999.999999999")  # Decimal(18, 9)
_NANO = Decimal("0.000000001")
_PLAIN_TEXT = {"String", "LowCardinality(String)"}


def unsigned(value: int, bits: int) -> int:
    return min(max(value, 0), (1 << bits) - 1)


def all_unsigned(column: list[int], bits: int) -> list[int]:
    """The column with each value made to fit; the same list when all do, as nearly always."""
    if not column or (min(column) >= 0 and max(column) >> bits == 0):
        return column
    return [unsigned(value, bits) for value in column]


def tokens(value: int) -> int:
    return min(max(value, 0), MAX_TOKENS)


def money(value: Decimal | None) -> Decimal | None:
    """None stays None, and what is no number becomes it."""
    if value is None or not value.is_finite():
        return None
    return max(-_MAX_MONEY, min(value, _MAX_MONEY)).quantize(_NANO)


def number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def check_text(columns: Iterable[Sequence[Any]], types: Iterable[str]) -> None:
    """Raises UnicodeEncodeError when a text has no UTF-8 form (half of a surrogate pair)."""
    for column, type_ in zip(columns, types, strict=True):
        if type_ in _PLAIN_TEXT:
            _check(column)
        elif type_.startswith("Array(") and "String" in type_:
            _check(chain.from_iterable(column))
        elif type_.startswith("Map("):
            _check(chain.from_iterable(column))
            if not type_.endswith("Float64)"):
                _check(chain.from_iterable(map(dict.values, column)))


def _check(texts: Iterable[str]) -> None:
    for text in filterfalse(str.isascii, texts):  # a flag of the object; most cost nothing more
        text.encode()


def cleaned(row: R) -> R:
    """The row with U+FFFD in place of every half of a surrogate pair."""
    return replace(row, **{f.name: _cleaned(getattr(row, f.name)) for f in fields(row)})


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_cleaned(item) for item in value)
    if isinstance(value, SpanEvent | SpanLink | Usage):
        return replace(value, **{f.name: _cleaned(getattr(value, f.name)) for f in fields(value)})
    return value
