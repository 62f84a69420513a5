"""Stored rows of one project handed on whole, to be written again with other figures.

Nobody sent them: the time of storing stays, so that no trace becomes news by it, and the next row
that arrives for a span is newer than ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from traces.store import cells, client, statements
from traces.store.reader import MAX_OUTLINE, SpanReader
from traces.store.reads.project import ProjectReads
from traces.store.rows import TraceSummary


@dataclass(frozen=True, slots=True)
class SpanKey:
    """One version of a span."""

    trace_id: bytes
    span_id: bytes
    version: int


class RewritingReads(ProjectReads):
    def whole_spans(self, since: int, until: int, keys: Sequence[SpanKey]) -> list[dict[str, Any]]:
        """Rows with all columns, of spans within [since, until) seconds; those that are gone or
        have a newer version by now are not there.

        Raises QueryTooLarge when the rows are too large to be read at once.
        """
        return self._query(
            statements.text("whole_spans"),
            {
                "since": since,
                "until": until,
                "trace_ids": [key.trace_id.hex() for key in keys],
                "span_ids": [key.span_id.hex() for key in keys],
                "versions": [key.version for key in keys],
            },
        )

    def write_spans(self, rows: Sequence[dict[str, Any]]) -> int:
        """As new versions; returns how many."""
        for row in rows:
            row["version"] += 1
            row["is_rewritten"] = True
        return _write("spans", rows)

    def settle_again(self, trace_ids: Sequence[bytes], *, has_estimated: bool = False) -> int:
        """Brings the figures of settled traces to what their spans say; returns how many differed.

        The generation stays: it is the same trace, and nothing has to look at it again.
        `has_estimated`: what was to estimate of these traces is done.
        """
        rows = self._query(
            statements.text("whole_traces"),
            {
                "trace_ids": [one.hex() for one in trace_ids],
                "limit": len(trace_ids),
                "has_estimated": has_estimated,
            },
        )
        if not rows:
            return 0
        reader = SpanReader(self.project_id)
        summaries = {
            summary.trace_id: summary
            for portion in _portions(rows)
            for summary in reader.running_summaries(portion)
        }
        changed = [row for row in rows if row["trace_id"] in summaries]
        for row in changed:
            row.update(_figures(summaries[row["trace_id"]]))
            if has_estimated:
                row["unreported_calls"] = 0
            row["settled_at"] = _just_after(row["settled_at"])
        return _write("traces", changed)


def _portions(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[bytes]]:
    """So many traces at once that all spans of the largest are read."""
    portion: list[bytes] = []
    largest = 1
    for row in sorted(rows, key=itemgetter("span_count"), reverse=True):
        if portion and (len(portion) + 1) * largest > MAX_OUTLINE:
            yield portion
            portion = []
        if not portion:
            largest = max(1, row["span_count"])
        portion.append(row["trace_id"])
    yield portion


def _figures(summary: TraceSummary) -> dict[str, Any]:
    usage = summary.usage
    return {
        "has_usage": usage is not None,
        "uncached_input_tokens": cells.tokens(usage.uncached_input) if usage else 0,
        "cache_read_tokens": cells.tokens(usage.cache_read) if usage else 0,
        "cache_write_5m_tokens": cells.tokens(usage.cache_write_5m) if usage else 0,
        "cache_write_1h_tokens": cells.tokens(usage.cache_write_1h) if usage else 0,
        "output_tokens": cells.tokens(usage.output) if usage else 0,
        "reasoning_tokens": cells.tokens(usage.reasoning) if usage else 0,
        "estimated_tokens": cells.tokens(summary.estimated_tokens),
        "cost_usd": cells.money(summary.cost_usd),
        "unpriced_spans": summary.unpriced_spans,
        "uncounted_span_ids": sorted(summary.uncounted_span_ids),
        "usage_shares": [share.row() for share in summary.usage_shares],
    }


def _just_after(moment: datetime) -> datetime:
    """Newer than the row it replaces, older than anything that waits for news."""
    return moment + timedelta(milliseconds=1)


def _write(table: str, rows: Sequence[Mapping[str, Any]]) -> int:
    if not rows:
        return 0
    types = _types(table)
    names = [name for name in rows[0] if name in types]
    client.insert(
        table, [[row[name] for row in rows] for name in names], names, [types[n] for n in names]
    )
    return len(rows)


def _types(table: str) -> dict[str, str]:
    found = client.query(
        "SELECT name, type FROM system.columns WHERE database = currentDatabase()"
        " AND table = {table:String} AND default_kind NOT IN ('ALIAS', 'MATERIALIZED')",
        {"table": table},
    )
    return {row["name"]: row["type"] for row in found}
