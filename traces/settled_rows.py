"""A settled trace as a row of `traces`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from traces import shares
from traces.call_facts import CallFacts
from traces.store import cells, client
from traces.store.rows import TraceSummary
from traces.store.system import Unsettled


@dataclass(frozen=True, slots=True)
class Settled:
    quiet: Unsettled
    summary: TraceSummary
    calls: CallFacts


# column, type; the value is the summary's field of that name unless `_values` says otherwise
_COLUMNS = (
    ("project_id", "UUID"),
    ("trace_id", "FixedString(16)"),
    ("retention_days", "UInt16"),
    ("bucket_hour", "DateTime('UTC')"),
    ("generation", "UInt32"),
    ("settled_through", "DateTime64(3, 'UTC')"),
    ("start_ns", "UInt64"),
    ("end_ns", "UInt64"),
    ("name", "String"),
    ("kind", "LowCardinality(String)"),
    ("status", "LowCardinality(String)"),
    ("error_count", "UInt32"),
    ("span_count", "UInt32"),
    ("input_preview", "String"),
    ("output_preview", "String"),
    ("error_preview", "String"),
    ("session_id", "String"),
    ("user_id", "String"),
    ("environment", "LowCardinality(String)"),
    ("release", "LowCardinality(String)"),
    ("service_name", "LowCardinality(String)"),
    ("agents", "Array(LowCardinality(String))"),
    ("tools", "Array(LowCardinality(String))"),
    ("models", "Array(LowCardinality(String))"),
    ("tags", "Array(LowCardinality(String))"),
    ("metadata", "Map(LowCardinality(String), String)"),
    ("git_repo", "LowCardinality(String)"),
    ("git_ref", "LowCardinality(String)"),
    ("is_evaluation", "Bool"),
    ("has_usage", "Bool"),
    ("uncached_input_tokens", "UInt64"),
    ("cache_read_tokens", "UInt64"),
    ("cache_write_5m_tokens", "UInt64"),
    ("cache_write_1h_tokens", "UInt64"),
    ("output_tokens", "UInt64"),
    ("reasoning_tokens", "UInt64"),
    ("estimated_tokens", "UInt64"),
    ("unreported_calls", "UInt32"),
    ("cost_usd", "Nullable(Decimal(18, 9))"),
    ("usage_shares", shares.COLUMN_TYPE),
    ("unpriced_spans", "UInt32"),
    ("uncounted_span_ids", "Array(FixedString(8))"),
    ("orphan_spans", "UInt32"),
    ("is_rootless", "Bool"),
    ("arrived", "UInt64"),
    ("failed_calls", "UInt32"),
    ("equal_calls", "UInt32"),
    ("has_told_calls", "Bool"),
    ("completeness", "UInt8"),
    ("missing", "Map(LowCardinality(String), UInt32)"),
    ("infrastructure_spans", "UInt32"),
)


_SAME = tuple(name for name, _ in _COLUMNS if name in TraceSummary.__dataclass_fields__)


def write(settled: Sequence[Settled]) -> None:
    """One INSERT. Raises StoreUnavailable or StoreRejected."""
    values = [_values(one) for one in settled]
    names = [name for name, _ in _COLUMNS]
    types = [type_ for _, type_ in _COLUMNS]
    client.insert("traces", [[row[name] for row in values] for name in names], names, types)


def _values(settled: Settled) -> Mapping[str, Any]:
    quiet, summary, calls = settled.quiet, settled.summary, settled.calls
    usage = summary.usage
    values = {name: getattr(summary, name) for name in _SAME}
    return values | {
        "retention_days": quiet.retention_days,
        "bucket_hour": quiet.bucket_hour,
        "generation": quiet.generation + 1,
        "settled_through": quiet.last_stored_at,
        "arrived": quiet.arrived,
        "failed_calls": calls.failed,
        "equal_calls": calls.equal,
        "has_told_calls": calls.has_told,
        "missing": {name: cells.unsigned(count, 32) for name, count in summary.missing.items()},
        "agents": list(summary.agents),
        "tools": list(summary.tools),
        "models": list(summary.models),
        "tags": list(summary.tags),
        "metadata": dict(summary.metadata),
        "uncounted_span_ids": sorted(summary.uncounted_span_ids),
        "cost_usd": cells.money(summary.cost_usd),
        "usage_shares": [share.row() for share in summary.usage_shares],
        "has_usage": usage is not None,
        "uncached_input_tokens": cells.tokens(usage.uncached_input) if usage else 0,
        "cache_read_tokens": cells.tokens(usage.cache_read) if usage else 0,
        "cache_write_5m_tokens": cells.tokens(usage.cache_write_5m) if usage else 0,
        "cache_write_1h_tokens": cells.tokens(usage.cache_write_1h) if usage else 0,
        "output_tokens": cells.tokens(usage.output) if usage else 0,
        "reasoning_tokens": cells.tokens(usage.reasoning) if usage else 0,
        "estimated_tokens": cells.tokens(summary.estimated_tokens),
    }
