"""Settling: when a trace is quiet, recompute it from its spans and write one row, a new generation.

One query finds what is quiet in all projects, by the engine's own clock, and compares it with what
has settled: a restart at any instant loses nothing, and doing it twice changes nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.conf import settings

from traces import shares, totals
from traces.store import cells, client
from traces.store.errors import QueryTooLarge, StoreRejected
from traces.store.rows import TraceSummary
from traces.store.system import SystemReader, Unsettled

log = logging.getLogger(__name__)

SHORT_LOOKBACK_SECONDS = 15 * 60
LONG_LOOKBACK_SECONDS = 14 * 24 * 3600
MAX_SECONDS = 20.0
_BATCH = 500
# Spans read at once: some hundred bytes each in the engine's answer, more with content.
_MAX_SPANS_READ = 50_000
_INNER_CHARS = 2_000


def settle_quiet(
    *, lookback_seconds: int = SHORT_LOOKBACK_SECONDS, max_seconds: float = MAX_SECONDS
) -> int:
    """Settle every quiet trace that has changed within the look-back; returns how many.

    Stops after `max_seconds`; the next call goes on. Raises StoreUnavailable; what was settled
    until then stays settled.
    """
    reader = SystemReader()
    deadline = time.monotonic() + max_seconds
    count = 0
    for quiet in _batches(reader, lookback_seconds):
        count += _settle(reader, quiet)
        if time.monotonic() > deadline:
            break
    if count:
        log.info("traces.settled count=%d", count)
    return count


def _batches(reader: SystemReader, lookback_seconds: int) -> Iterator[list[Unsettled]]:
    """Each batch goes on after the one before: a trace that cannot settle blocks no other."""
    last: Unsettled | None = None
    while True:
        quiet = reader.unsettled(
            lookback_seconds=lookback_seconds,
            quiet_seconds=settings.SETTLE_QUIET_SECONDS,
            silence_seconds=settings.SETTLE_SILENCE_SECONDS,
            limit=_BATCH,
            after=last,
        )
        if quiet:
            yield quiet
        if len(quiet) < _BATCH:
            return
        last = quiet[-1]


def _settle(reader: SystemReader, quiet: Sequence[Unsettled]) -> int:
    counts = reader.span_counts(quiet)
    return sum(_settle_portion(reader, portion, counts) for portion in _portions(quiet, counts))


def _portions(
    quiet: Sequence[Unsettled], counts: Mapping[tuple[Any, bytes], int]
) -> Iterator[list[Unsettled]]:
    """Traces whose spans are few enough to be read at once; one huge trace stands alone."""
    portion: list[Unsettled] = []
    spans = 0
    for trace in quiet:
        size = counts.get((trace.project_id, trace.trace_id), 0)
        if portion and spans + size > _MAX_SPANS_READ:
            yield portion
            portion, spans = [], 0
        portion.append(trace)
        spans += size
    if portion:
        yield portion


def _settle_portion(
    reader: SystemReader,
    quiet: Sequence[Unsettled],
    counts: Mapping[tuple[Any, bytes], int],
) -> int:
    try:
        return _settle_together(reader, quiet, counts)
    except (QueryTooLarge, StoreRejected) as error:
        if len(quiet) == 1:
            log.error("traces.settle_refused trace=%s reason=%s", quiet[0].trace_id.hex(), error)
            return 0
    middle = len(quiet) // 2
    halves = (quiet[:middle], quiet[middle:])
    return sum(_settle_portion(reader, half, counts) for half in halves)


def _settle_together(
    reader: SystemReader,
    quiet: Sequence[Unsettled],
    counts: Mapping[tuple[Any, bytes], int],
) -> int:
    summaries = _summaries(reader.spans_of(quiet))
    # Few roots say neither what was asked nor what was answered: then the spans inside do.
    silent = [
        item for item in quiet if (one := summaries.get(_key(item))) is not None and _is_silent(one)
    ]
    if silent:
        summaries |= _summaries(reader.spans_of(silent, inner_chars=_INNER_CHARS))
    settled = []
    for item in quiet:
        key = _key(item)
        if key in summaries:  # else its spans are gone
            whole = max(summaries[key].span_count, counts.get(key, 0))
            settled.append(_Settled(item, replace(summaries[key], span_count=whole)))
    if settled:
        _write(settled)
    return len(settled)


def _summaries(spans: Sequence[Mapping[str, Any]]) -> dict[tuple[UUID, bytes], TraceSummary]:
    found = totals.summarize_all(spans, is_running=False)
    return {(one.project_id, one.trace_id): one for one in found}


def _key(trace: Unsettled) -> tuple[UUID, bytes]:
    return trace.project_id, trace.trace_id


def _is_silent(summary: TraceSummary) -> bool:
    return not summary.input_preview or not (summary.output_preview or summary.error_preview)


@dataclass(frozen=True, slots=True)
class _Settled:
    quiet: Unsettled
    summary: TraceSummary


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
    ("cost_usd", "Nullable(Decimal(18, 9))"),
    ("usage_shares", shares.COLUMN_TYPE),
    ("unpriced_spans", "UInt32"),
    ("uncounted_span_ids", "Array(FixedString(8))"),
    ("orphan_spans", "UInt32"),
    ("is_rootless", "Bool"),
)


def _write(settled: Sequence[_Settled]) -> None:
    values = [_values(one.quiet, one.summary) for one in settled]
    names = [name for name, _ in _COLUMNS]
    types = [type_ for _, type_ in _COLUMNS]
    client.insert("traces", [[row[name] for row in values] for name in names], names, types)


def _values(quiet: Unsettled, summary: TraceSummary) -> Mapping[str, Any]:
    usage = summary.usage
    values = {name: getattr(summary, name) for name, _ in _COLUMNS if hasattr(summary, name)}
    return values | {
        "retention_days": quiet.retention_days,
        "bucket_hour": quiet.bucket_hour,
        "generation": quiet.generation + 1,
        "settled_through": quiet.last_stored_at,
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
    }
