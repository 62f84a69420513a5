"""Attributes as three maps: strings as sent, numbers for search, and everything that is not a
string exactly, as OTLP JSON.

A text that another column holds verbatim is not stored twice: its JSON is a pointer to that column,
`@input` or `@output`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from traces.otlp import json_values
from traces.spans import Attributes
from traces.store import cells

COLUMNS = (
    ("attributes_string", "Map(LowCardinality(String), String)"),
    ("attributes_number", "Map(LowCardinality(String), Float64)"),
    ("attributes_json", "Map(LowCardinality(String), String)"),
)
Maps = tuple[dict[str, str], dict[str, float], dict[str, str]]
_NOWHERE: Mapping[str, tuple[str, str]] = {}


def split(attributes: Attributes, elsewhere: Mapping[str, tuple[str, str]] = _NOWHERE) -> Maps:
    """`elsewhere`: of some attributes the column that may hold their text, and what it holds."""
    strings = {key: value for key, value in attributes.items() if type(value) is str}
    numbers: dict[str, float] = {}
    exact: dict[str, str] = {}
    if len(strings) != len(attributes):
        _split_others(attributes, numbers, exact)
    for key, (column, held) in elsewhere.items():
        if strings.get(key) == held:
            del strings[key]
            exact[key] = f"@{column}"
    return strings, numbers, exact


def _split_others(attributes: Attributes, numbers: dict[str, float], exact: dict[str, str]) -> None:
    for key, value in attributes.items():
        if type(value) is str:
            continue
        if type(value) is int:
            numbers[key] = cells.number(value)
            exact[key] = f'{{"intValue":"{value}"}}'
            continue
        if type(value) is float:
            numbers[key] = value
        exact[key] = json_values.value_to_json(value)


def joined(row: Mapping[str, Any]) -> Attributes:
    """The attributes of a row that has these columns."""
    attributes: Attributes = dict(row["attributes_string"])
    for key, text in row["attributes_json"].items():
        attributes[key] = row[text[1:]] if text[:1] == "@" else json_values.value_from_json(text)
    return attributes
