"""Spans and traces as rows: the column table of `spans`, both ways, and what reads return.

The one place that knows which field is which column. Attributes are split for search; a text that
stands verbatim in `input` or `output` is not stored twice (`attribute_maps`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

import msgspec

from traces.otlp import json_values
from traces.shares import UsageShare
from traces.spans import AttributeValue, Kind, Span, SpanEvent, SpanLink, Status, Usage
from traces.store import attribute_maps, cells

NO_SPAN = b"\0" * 8
_NS = 1_000_000_000
_DAY_SECONDS = 24 * 3600
_WEEK_SECONDS = 7 * _DAY_SECONDS
_LIFTED = ("input", "output")
_UNSIGNED_BITS = {"UInt8": 8, "UInt32": 32, "UInt64": 64}


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One row of the trace list. `generation` is 0 while the trace has not settled."""

    project_id: UUID
    trace_id: bytes
    name: str
    kind: str
    status: str
    start_ns: int
    end_ns: int
    span_count: int
    error_count: int
    session_id: str = ""
    user_id: str = ""
    input_preview: str = ""
    output_preview: str = ""
    error_preview: str = ""
    """Of a failed run without output: what it failed with."""
    environment: str = ""
    release: str = ""
    service_name: str = ""
    models: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    git_repo: str = ""
    git_ref: str = ""
    usage: Usage | None = None
    estimated_tokens: int = 0
    """Of the usage what no call reported but was estimated (`traces.estimates`)."""
    unreported_calls: int = 0
    """Calls to estimate: they report no usage and have a text."""
    cost_usd: Decimal | None = None
    usage_shares: tuple[UsageShare, ...] = ()
    unpriced_spans: int = 0
    uncounted_span_ids: frozenset[bytes] = frozenset()
    orphan_spans: int = 0
    is_rootless: bool = False
    generation: int = 0
    settled_at: datetime | None = None
    is_evaluation: bool = False
    findings: tuple[str, ...] = ()
    completeness: int = 100
    """0 to 100, and what is missing (see `traces.completeness`)."""
    missing: Mapping[str, int] = field(default_factory=dict)
    infrastructure_spans: int = 0

    @property
    def duration_ns(self) -> int:
        return max(0, self.end_ns - self.start_ns)

    @property
    def hex_id(self) -> str:
        return self.trace_id.hex()


@dataclass(frozen=True, slots=True)
class SpanOutline:
    """A span without its content: what a tree or timeline needs."""

    span_id: bytes
    parent_span_id: bytes
    name: str
    kind: str
    status: str
    status_message: str
    start_ns: int
    end_ns: int
    is_local_root: bool
    agent_name: str
    tool_name: str
    model: str
    session_id: str
    user_id: str
    first_token_ns: int
    usage: Usage | None
    cost_usd: Decimal | None
    error_type: str
    error_message: str
    is_infrastructure: bool
    is_estimated: bool
    is_cost_estimated: bool


_Read = Callable[[Span], Any]
_as_json = msgspec.json.Encoder().encode


def sources_text(sources: Mapping[str, str | int]) -> str:
    return _as_json(sources).decode()


def _usage(bucket: str) -> _Read:
    return lambda span: cells.tokens(getattr(span.usage, bucket)) if span.usage else 0


# column, ClickHouse type, value of a span
SPAN_COLUMNS: tuple[tuple[str, str, _Read], ...] = (
    ("project_id", "UUID", attrgetter("project_id")),
    ("trace_id", "FixedString(16)", attrgetter("trace_id")),
    ("span_id", "FixedString(8)", attrgetter("span_id")),
    ("parent_span_id", "FixedString(8)", lambda s: s.parent_span_id or NO_SPAN),
    ("bucket_time", "DateTime('UTC')", lambda s: bucket_seconds(s.start_ns, s.received_ns)),
    ("version", "UInt64", attrgetter("version")),
    ("received_ns", "UInt64", attrgetter("received_ns")),
    ("start_ns", "UInt64", attrgetter("start_ns")),
    ("end_ns", "UInt64", attrgetter("end_ns")),
    ("name", "String", attrgetter("name")),
    ("kind", "LowCardinality(String)", attrgetter("kind")),
    ("otel_kind", "UInt8", attrgetter("otel_kind")),
    ("status", "LowCardinality(String)", attrgetter("status")),
    ("status_message", "String", attrgetter("status_message")),
    ("error_type", "LowCardinality(String)", attrgetter("error_type")),
    ("error_message", "String", attrgetter("error_message")),
    ("is_local_root", "Bool", attrgetter("is_local_root")),
    ("convention", "LowCardinality(String)", attrgetter("convention")),
    ("operation", "LowCardinality(String)", attrgetter("operation")),
    ("agent_name", "LowCardinality(String)", attrgetter("agent_name")),
    ("agent_id", "String", attrgetter("agent_id")),
    ("tool_name", "LowCardinality(String)", attrgetter("tool_name")),
    ("tool_call_id", "String", attrgetter("tool_call_id")),
    ("provider", "LowCardinality(String)", attrgetter("provider")),
    ("model", "LowCardinality(String)", attrgetter("model")),
    ("request_model", "LowCardinality(String)", attrgetter("request_model")),
    ("response_model", "LowCardinality(String)", attrgetter("response_model")),
    ("response_id", "String", attrgetter("response_id")),
    ("finish_reasons", "Array(LowCardinality(String))", lambda s: list(s.finish_reasons)),
    ("first_token_ns", "UInt64", attrgetter("first_token_ns")),
    ("session_id", "String", attrgetter("session_id")),
    ("user_id", "String", attrgetter("user_id")),
    ("environment", "LowCardinality(String)", attrgetter("environment")),
    ("release", "LowCardinality(String)", attrgetter("release")),
    ("service_name", "LowCardinality(String)", attrgetter("service_name")),
    ("tags", "Array(LowCardinality(String))", lambda s: list(s.tags)),
    ("metadata", "Map(LowCardinality(String), String)", lambda s: dict(s.metadata)),
    ("trace_name", "String", attrgetter("trace_name")),
    ("trace_tags", "Array(LowCardinality(String))", lambda s: list(s.trace_tags)),
    ("trace_metadata", "Map(LowCardinality(String), String)", lambda s: dict(s.trace_metadata)),
    ("is_evaluation", "Bool", attrgetter("is_evaluation")),
    ("prompt_name", "LowCardinality(String)", attrgetter("prompt_name")),
    ("prompt_version", "LowCardinality(String)", attrgetter("prompt_version")),
    ("prompt_hash", "LowCardinality(String)", attrgetter("prompt_hash")),
    ("git_repo", "LowCardinality(String)", attrgetter("git_repo")),
    ("git_ref", "LowCardinality(String)", attrgetter("git_ref")),
    ("git_source_file", "String", attrgetter("git_source_file")),
    ("git_source_line", "UInt32", attrgetter("git_source_line")),
    ("git_source_function", "String", attrgetter("git_source_function")),
    ("input", "String", attrgetter("input")),
    ("output", "String", attrgetter("output")),
    ("has_usage", "Bool", lambda s: s.usage is not None),
    ("uncached_input_tokens", "UInt64", _usage("uncached_input")),
    ("cache_read_tokens", "UInt64", _usage("cache_read")),
    ("cache_write_5m_tokens", "UInt64", _usage("cache_write_5m")),
    ("cache_write_1h_tokens", "UInt64", _usage("cache_write_1h")),
    ("output_tokens", "UInt64", _usage("output")),
    ("reasoning_tokens", "UInt64", _usage("reasoning")),
    (
        "other_usage",
        "Map(LowCardinality(String), Float64)",
        lambda s: {k: cells.number(v) for k, v in s.usage.other.items()} if s.usage else {},
    ),
    ("reported_cost_usd", "Nullable(Decimal(18, 9))", lambda s: cells.money(s.reported_cost_usd)),
    ("computed_cost_usd", "Nullable(Decimal(18, 9))", lambda s: cells.money(s.computed_cost_usd)),
    ("price_version", "LowCardinality(String)", attrgetter("price_version")),
    ("prefers_computed", "Bool", attrgetter("prefers_computed")),
    ("sources_json", "LowCardinality(String)", lambda s: sources_text(s.sources)),
    ("links_json", "String", lambda s: _links_json(s.links)),
    ("events_json", "String", lambda s: _events_json(s.events)),
    ("resource_json", "String", attrgetter("resource_json")),
    ("scope_json", "String", attrgetter("scope_json")),
    ("trace_state", "String", attrgetter("trace_state")),
    ("flags", "UInt32", attrgetter("flags")),
    ("dropped_attributes", "UInt32", attrgetter("dropped_attributes")),
    ("dropped_events", "UInt32", attrgetter("dropped_events")),
    ("dropped_links", "UInt32", attrgetter("dropped_links")),
    ("truncated", "String", lambda s: sources_text(s.truncated) if s.truncated else ""),
)
_TYPED = [(name, type_) for name, type_, _ in SPAN_COLUMNS] + list(attribute_maps.COLUMNS)
COLUMN_NAMES = [name for name, _ in _TYPED]
COLUMN_TYPES = [type_ for _, type_ in _TYPED]


def bucket_seconds(start_ns: int, received_ns: int) -> int:
    """Start clamped to the half year before and the day after receipt, s since the epoch.

    Clocks of 1960 or 2200 would wrap dates. An INSERT may touch 100 partitions (a week and a
    retention class each): these are 28 weeks, and the writer puts at most three classes in one.
    """
    received = received_ns // _NS
    clamped = min(max(start_ns // _NS, received - 26 * _WEEK_SECONDS), received + _DAY_SECONDS)
    return cells.unsigned(clamped, 32)


def to_columns(
    spans: Sequence[Span], retention_days: Sequence[int]
) -> tuple[list[list[Any]], list[str], list[str]]:
    """Columns, names and types of an INSERT; `retention_days` is parallel to `spans`.

    Text that has no UTF-8 form is mended here, at the last door, whatever let it through.
    """
    try:
        columns = _columns(spans)
        cells.check_text(columns, COLUMN_TYPES)
    except UnicodeEncodeError:
        columns = _columns([cells.cleaned(span) for span in spans])
    columns.append([cells.unsigned(days, 16) for days in retention_days])
    return columns, [*COLUMN_NAMES, "retention_days"], [*COLUMN_TYPES, "UInt16"]


def _columns(spans: Sequence[Span]) -> list[list[Any]]:
    columns: list[list[Any]] = []
    for _, type_, read in SPAN_COLUMNS:
        column = list(map(read, spans))
        bits = _UNSIGNED_BITS.get(type_)
        columns.append(column if bits is None else cells.all_unsigned(column, bits))
    split = [_split(span) for span in spans]
    columns.extend([parts[index] for parts in split] for index in range(3))
    return columns


def _split(span: Span) -> attribute_maps.Maps:
    held = {
        span.sources[name]: (name, getattr(span, name)) for name in _LIFTED if name in span.sources
    }
    return attribute_maps.split(span.attributes, held)


def _events_json(events: Sequence[SpanEvent]) -> str:
    if not events:
        return ""
    return json.dumps(
        [[e.time_ns, e.name, json_values.values_to_json(e.attributes)] for e in events],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _links_json(links: Sequence[SpanLink]) -> str:
    if not links:
        return ""
    return json.dumps(
        [
            [
                k.trace_id.hex(),
                k.span_id.hex(),
                k.trace_state,
                json_values.values_to_json(k.attributes),
            ]
            for k in links
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def usage_of(row: Mapping[str, Any]) -> Usage | None:
    if not row["has_usage"]:
        return None
    return Usage(
        uncached_input=row["uncached_input_tokens"],
        cache_read=row["cache_read_tokens"],
        cache_write_5m=row["cache_write_5m_tokens"],
        cache_write_1h=row["cache_write_1h_tokens"],
        output=row["output_tokens"],
        reasoning=row["reasoning_tokens"],
        other=row.get("other_usage") or {},
    )


def parent_of(row: Mapping[str, Any]) -> bytes:
    parent = cast(bytes, row["parent_span_id"])
    return b"" if parent == NO_SPAN else parent


# Columns whose value is the field's, unchanged
_PLAIN = tuple(
    name
    for name, _, _ in SPAN_COLUMNS
    if name in Span.__dataclass_fields__
    and name not in {"parent_span_id", "kind", "status", "finish_reasons", "tags", "trace_tags"}
    and name != "truncated"
)


def to_span(row: Mapping[str, Any]) -> Span:
    """A row of `spans` (all columns) as a Span, attributes put together again."""
    return Span(
        **{name: row[name] for name in _PLAIN},
        parent_span_id=parent_of(row),
        kind=cast(Kind, row["kind"]),
        status=cast(Status, row["status"]),
        finish_reasons=tuple(row["finish_reasons"]),
        tags=tuple(row["tags"]),
        trace_tags=tuple(row["trace_tags"]),
        usage=usage_of(row),
        sources=json.loads(row["sources_json"]),
        truncated=json.loads(row["truncated"]) if row["truncated"] else {},
        attributes=attribute_maps.joined(row),
        events=events(row["events_json"]),
        links=_links(row["links_json"]),
    )


def events(text: str) -> tuple[SpanEvent, ...]:
    return tuple(
        SpanEvent(time_ns, name, json_values.values_from_json(attributes))
        for time_ns, name, attributes in (json.loads(text) if text else ())
    )


def attribute(name: str, text: str) -> dict[str, AttributeValue]:
    """One attribute that is not a text, as `attributes_json` holds it; none where that is empty."""
    return {name: json_values.value_from_json(text)} if text[:1] == "{" else {}


def _links(text: str) -> tuple[SpanLink, ...]:
    return tuple(
        SpanLink(
            bytes.fromhex(trace),
            bytes.fromhex(span),
            state,
            json_values.values_from_json(attributes),
        )
        for trace, span, state, attributes in (json.loads(text) if text else ())
    )
