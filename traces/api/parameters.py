"""Query parameters of the public reads, checked; anything off is one sentence with status 400."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from traces.api.errors import BadParameter
from traces.store.filters import NUMBER_FIELDS, TEXT_FIELDS, Condition, TraceFilter

MAX_LIMIT = 200
_LONGEST_LIMIT = 20
_GROUPS = ("core", "usage", "io", "metadata", "normalized", "cost")
_ALIASES = {"skeleton": {"core", "usage"}, "full": {"core", "usage", "io", "metadata"}}
_KEYED_FIELDS = {"metadata", "attribute"}
_NEGATED = {"ne": "eq", "not_in": "in", "not_contains": "contains"}
_TEXT_OPS = {"in", "eq", "contains", *_NEGATED}
_NUMBER_OPS = {"eq", "ne", "gt", "gte", "lt", "lte"}
_MAX_CONDITIONS = 20
_MAX_NUMBER = 1e300


def check_names(query: QueryDict, known: Sequence[str]) -> None:
    """Whoever mistypes a parameter would otherwise get an answer to another question."""
    unknown = [name for name in query if name not in known]
    if not unknown:
        return
    name = unknown[0][:40]
    near = get_close_matches(name, known, n=1, cutoff=0.8)
    guess = f" Did you mean {near[0]}?" if near else ""
    known_ones = f"it knows {', '.join(known)}" if known else "it takes none"
    raise BadParameter(f"This request has no parameter {name!r}; {known_ones}.{guess}")


def limit(query: QueryDict, default: int = 50) -> int:
    raw = query.get("limit", str(default))
    # Digits without end are no number that Python reads.
    if not raw.isdecimal() or len(raw) > _LONGEST_LIMIT or not 1 <= int(raw) <= MAX_LIMIT:
        raise BadParameter(f"limit must be a whole number from 1 to {MAX_LIMIT}.")
    return int(raw)


def time(query: QueryDict, name: str) -> datetime | None:
    """ISO 8601; without a zone it is UTC."""
    raw = query.get(name, "")
    if not raw:
        return None
    try:
        # A "+" of an offset arrives as a space when the client does not encode it.
        parsed = parse_datetime(raw.replace(" ", "+") if raw[10:11] == "T" else raw)
    except ValueError:
        parsed = None
    if parsed is None:
        raise BadParameter(f"{name} must be a time such as 2026-01-31T12:00:00.")
    try:
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except OverflowError:
        raise BadParameter(f"{name} must be a time of the years 1 to 9999 in UTC.") from None


def flag(query: QueryDict, name: str) -> bool:
    raw = query.get(name, "false").lower()
    if raw not in {"true", "false", "1", "0"}:
        raise BadParameter(f"{name} must be true or false.")
    return raw in {"true", "1"}


def fields(query: QueryDict, default: str) -> set[str]:
    """Groups of fields: those of `_GROUPS`, or the aliases skeleton and full."""
    wanted: set[str] = set()
    for name in (query.get("fields") or default).split(","):
        group = name.strip()
        if group in _ALIASES:
            wanted |= _ALIASES[group]
        elif group in _GROUPS:
            wanted.add(group)
        else:
            raise BadParameter(
                f"fields knows {', '.join([*_GROUPS, *_ALIASES])}; {group[:40]!r} is none of them."
            )
    return wanted


def trace_filter(query: QueryDict) -> TraceFilter:
    return TraceFilter(
        since=time(query, "start_after"),
        until=time(query, "end_before"),
        name=query.get("name", "")[:1024],
        user_id=query.get("user_id", "")[:1024],
        text=query.get("search_query", "")[:1024],
        include_evaluations=flag(query, "include_evaluations"),
        conditions=_conditions(query.get("filters", "")),
    )


def _conditions(raw: str) -> tuple[Condition, ...]:
    if not raw:
        return ()
    try:
        items = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadParameter("filters must be a JSON array of {field, op, value} objects.") from None
    if not isinstance(items, list) or len(items) > _MAX_CONDITIONS:
        raise BadParameter(f"filters must be a JSON array of at most {_MAX_CONDITIONS} objects.")
    return tuple(_condition(item) for item in items)


def _condition(item: Any) -> Condition:
    if not isinstance(item, dict) or not {"field", "op", "value"} <= set(item):
        raise BadParameter("Each filter needs field, op and value.")
    field, op, value = item["field"], item["op"], item["value"]
    if not isinstance(field, str) or not isinstance(op, str):
        raise BadParameter("The field and op of a filter must be text.")
    key, is_negated = _key(item, field), op in _NEGATED
    compared = _NEGATED.get(op, op)
    # Attributes are typed as they were sent.
    if field in NUMBER_FIELDS or (field == "attribute" and _is_number(value)):
        _one_of(op, _NUMBER_OPS, field)
        number = _number(value, field, least=-_MAX_NUMBER if field == "attribute" else 0)
        return Condition(field, compared, number=number, key=key, is_negated=is_negated)
    if field in TEXT_FIELDS or field == "attribute":
        _one_of(op, _TEXT_OPS, field)
        texts = _texts(value, field)
        return Condition(field, compared, texts=texts, key=key, is_negated=is_negated)
    known = ", ".join(sorted([*TEXT_FIELDS, *NUMBER_FIELDS, "attribute"]))
    raise BadParameter(f"filters knows the fields {known}; {field[:40]!r} is none of them.")


def _one_of(op: str, allowed: set[str], field: str) -> None:
    if op not in allowed:
        raise BadParameter(f"{field} takes the operators {', '.join(sorted(allowed))}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any, field: str, *, least: float) -> float:
    if not _is_number(value) or not least <= value <= _MAX_NUMBER:  # NaN is in no range
        said = " of at least 0" if least == 0 else ""
        raise BadParameter(f"The value of {field} must be a number{said}.")
    return float(value)


def _texts(value: Any, field: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not 1 <= len(values) <= 100 or not all(_is_text(v, 1024) for v in values):
        raise BadParameter(
            f"The value of {field} must be text of at most 1,024 characters, or a list of such."
        )
    return tuple(values)


def _key(item: dict[str, Any], field: str) -> str:
    if field not in _KEYED_FIELDS:
        return ""
    key = item.get("key")
    if not isinstance(key, str) or not key or not _is_text(key, 256):
        raise BadParameter(f"A filter on {field} needs a key of at most 256 characters.")
    return key


def _is_text(value: Any, max_chars: int) -> bool:
    """JSON can spell half of a surrogate pair, which has no UTF-8 form."""
    if not isinstance(value, str) or len(value) > max_chars:
        return False
    return not any("\ud800" <= char <= "\udfff" for char in value)
