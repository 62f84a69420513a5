"""Spans of one project as pricing reads them, and their rows to be written again with another cost.

Stored rows are handed on whole, whatever columns they have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from traces.spans import Kind, Span
from traces.store import attribute_maps, client, statements
from traces.store.reader import SpanReader
from traces.store.reads.project import ProjectReads
from traces.store.rows import usage_of

HOUR_SECONDS = 3600
_MAX_HOURS = 100_000
Key = tuple[bytes, bytes]
BEGINNING: Key = (bytes(16), bytes(8))


@dataclass(frozen=True, slots=True)
class Hour:
    """Seconds since the epoch, and how many spans of it may have a price."""

    start: int
    spans: int


class PricedSpans(ProjectReads):
    def hours(self, since: int, until: int) -> list[Hour]:
        """Of a range in seconds those with spans that may have a price, in order."""
        found = self._query(
            statements.text("priced_hours"),
            {"since": since, "until": until, "limit": _MAX_HOURS},
        )
        return [Hour(row["hour"], row["spans"]) for row in found]

    def page(
        self, since: int, until: int, after: Key, attributes: Sequence[str], limit: int
    ) -> list[Span]:
        """In the order of their keys, with what decides their price and nothing else."""
        found = self._query(
            statements.text("priced_spans"),
            {
                "since": since,
                "until": until,
                "after_trace": after[0].hex(),
                "after_span": after[1].hex(),
                "attributes": list(attributes),
                "limit": limit,
            },
        )
        return [self._span(row) for row in found]

    def _span(self, row: Mapping[str, Any]) -> Span:
        return Span(
            project_id=self.project_id,
            trace_id=row["trace_id"],
            span_id=row["span_id"],
            parent_span_id=b"",
            name="",
            kind=cast(Kind, row["kind"]),
            start_ns=row["start_ns"],
            end_ns=0,
            status="unset",
            version=row["version"],
            received_ns=0,
            provider=row["provider"],
            model=row["model"],
            usage=usage_of(row),
            reported_cost_usd=row["reported_cost_usd"],
            computed_cost_usd=row["computed_cost_usd"],
            price_version=row["price_version"],
            prefers_computed=row["prefers_computed"],
            attributes=attribute_maps.joined(row),
        )

    def rewrite(self, since: int, until: int, spans: Sequence[Span]) -> int:
        """Writes the spans' costs as new versions of their rows, and nothing else; returns how
        many. The time of storing stays, so that no trace becomes news by it.

        Raises QueryTooLarge when the rows are too large to be read at once.
        """
        rows = self._query(
            statements.text("whole_spans"),
            {
                "since": since,
                "until": until,
                "trace_ids": [span.trace_id.hex() for span in spans],
                "span_ids": [span.span_id.hex() for span in spans],
                "versions": [span.version for span in spans],
            },
        )
        costs = {(span.trace_id, span.span_id): span for span in spans}
        for row in rows:
            span = costs[row["trace_id"], row["span_id"]]
            row["computed_cost_usd"] = span.computed_cost_usd
            row["price_version"] = span.price_version
            row["prefers_computed"] = span.prefers_computed
            row["version"] += 1
            row["is_rewritten"] = True
        return _write("spans", rows)

    def settle_again(self, trace_ids: Sequence[bytes]) -> int:
        """Brings the costs of settled traces to what their spans say; returns how many differed.

        The generation stays: it is the same trace, and nothing has to look at it again.
        """
        rows = self._query(
            statements.text("whole_traces"),
            {"trace_ids": [one.hex() for one in trace_ids], "limit": len(trace_ids)},
        )
        if not rows:
            return 0
        reader = SpanReader(self.project_id)
        summaries = {
            summary.trace_id: summary
            for summary in reader.running_summaries([row["trace_id"] for row in rows])
        }
        changed = [row for row in rows if row["trace_id"] in summaries]
        for row in changed:
            summary = summaries[row["trace_id"]]
            row["cost_usd"] = summary.cost_usd
            row["unpriced_spans"] = summary.unpriced_spans
            row["uncounted_span_ids"] = sorted(summary.uncounted_span_ids)
            row["usage_shares"] = [share.row() for share in summary.usage_shares]
            row["settled_at"] = _just_after(row["settled_at"])
        return _write("traces", changed)


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
