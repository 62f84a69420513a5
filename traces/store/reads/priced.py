"""Spans of one project as pricing reads them, and their rows written again with another cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from traces.spans import Kind, Span
from traces.store import attribute_maps, statements
from traces.store.reads.rewriting import RewritingReads, SpanKey
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


class PricedSpans(RewritingReads):
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
        many.

        Raises QueryTooLarge when the rows are too large to be read at once.
        """
        keys = [SpanKey(span.trace_id, span.span_id, span.version) for span in spans]
        rows = self.whole_spans(since, until, keys)
        costs = {(span.trace_id, span.span_id): span for span in spans}
        for row in rows:
            span = costs[row["trace_id"], row["span_id"]]
            row["computed_cost_usd"] = span.computed_cost_usd
            row["price_version"] = span.price_version
            row["prefers_computed"] = span.prefers_computed
        return self.write_spans(rows)
