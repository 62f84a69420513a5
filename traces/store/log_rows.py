"""Log records as rows: the column table of `logs`, both ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

from traces.logs import Log
from traces.otlp import json_values
from traces.store import attribute_maps, cells, rows
from traces.store.batches import Batch

TABLE = "logs"
NO_TRACE = b"\0" * 16
_UNSIGNED_BITS = {"UInt8": 8, "UInt16": 16, "UInt32": 32, "UInt64": 64}
_Read = Callable[[Log], Any]


def _body_json(log: Log) -> str:
    return "" if isinstance(log.body, str) else json_values.value_to_json(log.body)


# column, ClickHouse type, value of a record
COLUMNS: tuple[tuple[str, str, _Read], ...] = (
    ("project_id", "UUID", attrgetter("project_id")),
    ("log_id", "FixedString(16)", attrgetter("log_id")),
    ("trace_id", "FixedString(16)", lambda log: log.trace_id or NO_TRACE),
    ("span_id", "FixedString(8)", lambda log: log.span_id or rows.NO_SPAN),
    ("bucket_time", "DateTime('UTC')", lambda log: rows.bucket_seconds(log.at_ns, log.received_ns)),
    ("received_ns", "UInt64", attrgetter("received_ns")),
    ("time_ns", "UInt64", attrgetter("time_ns")),
    ("observed_ns", "UInt64", attrgetter("observed_ns")),
    ("severity_number", "UInt8", attrgetter("severity_number")),
    ("severity_text", "LowCardinality(String)", attrgetter("severity_text")),
    ("event_name", "LowCardinality(String)", attrgetter("event_name")),
    ("kind", "LowCardinality(String)", attrgetter("kind")),
    ("convention", "LowCardinality(String)", attrgetter("convention")),
    ("model", "LowCardinality(String)", attrgetter("model")),
    ("agent_name", "LowCardinality(String)", attrgetter("agent_name")),
    ("tool_name", "LowCardinality(String)", attrgetter("tool_name")),
    ("session_id", "String", attrgetter("session_id")),
    ("user_id", "String", attrgetter("user_id")),
    ("environment", "LowCardinality(String)", attrgetter("environment")),
    ("release", "LowCardinality(String)", attrgetter("release")),
    ("service_name", "LowCardinality(String)", attrgetter("service_name")),
    ("body", "String", lambda log: log.body if isinstance(log.body, str) else ""),
    ("body_json", "String", _body_json),
    ("resource_json", "String", attrgetter("resource_json")),
    ("scope_json", "String", attrgetter("scope_json")),
    ("flags", "UInt32", attrgetter("flags")),
    ("dropped_attributes", "UInt32", attrgetter("dropped_attributes")),
)
NAMES = (
    *(name for name, _, _ in COLUMNS),
    *(name for name, _ in attribute_maps.COLUMNS),
    "retention_days",
)
TYPES = (
    *(type_ for _, type_, _ in COLUMNS),
    *(type_ for _, type_ in attribute_maps.COLUMNS),
    "UInt16",
)
_PLAIN = tuple(
    name
    for name, _, _ in COLUMNS
    if name in Log.__dataclass_fields__ and name not in {"trace_id", "span_id", "body"}
)


def to_batch(
    logs: Sequence[Log], *, project_id: UUID, received_ns: int, retention_days: int = 0
) -> Batch:
    """The batch of one request. Text that has no UTF-8 form is mended here, at the last door."""
    if not logs:
        return Batch(project_id, received_ns, retention_days, (), (), [], table=TABLE)
    try:
        columns = _columns(logs, retention_days)
        cells.check_text(columns, TYPES)
    except UnicodeEncodeError:
        columns = _columns([cells.cleaned(log) for log in logs], retention_days)
    return Batch(project_id, received_ns, retention_days, NAMES, TYPES, columns, table=TABLE)


def to_log(row: Mapping[str, Any]) -> Log:
    """A row of `logs` (all columns) as a Log, body and attributes put together again."""
    exact = row["body_json"]
    return Log(
        **{name: row[name] for name in _PLAIN},
        trace_id=b"" if row["trace_id"] == NO_TRACE else row["trace_id"],
        span_id=b"" if row["span_id"] == rows.NO_SPAN else row["span_id"],
        body=json_values.value_from_json(exact) if exact else row["body"],
        attributes=attribute_maps.joined(row),
    )


def _columns(logs: Sequence[Log], retention_days: int) -> list[list[Any]]:
    columns: list[list[Any]] = []
    for _, type_, read in COLUMNS:
        column = list(map(read, logs))
        bits = _UNSIGNED_BITS.get(type_)
        columns.append(column if bits is None else cells.all_unsigned(column, bits))
    split = [attribute_maps.split(log.attributes) for log in logs]
    columns.extend([parts[index] for parts in split] for index in range(3))
    columns.append([cells.unsigned(retention_days, 16)] * len(logs))
    return columns
