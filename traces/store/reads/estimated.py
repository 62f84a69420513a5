"""Spans of one project as estimating reads them, and their rows written again with a usage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from traces import trace_spans
from traces.spans import Span
from traces.store import cells, rows, statements
from traces.store.reads.rewriting import RewritingReads, SpanKey
from traces.trace_spans import TraceSpans

MAX_SPANS = 100_000
"""So many spans of the traces that are asked for together."""
_SAME = (
    "span_id", "parent_span_id", "version", "bucket", "kind", "status", "end_ns", "has_usage",
    "is_estimated", "input_bytes", "output_bytes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unreported:
    """A call to estimate, by its row: `bucket` is the second that this lies in."""

    key: SpanKey
    bucket: int
    chars: int


class EstimatedSpans(RewritingReads):
    def traces(self, trace_ids: Sequence[bytes]) -> Iterator[TraceSpans]:
        """With what `unreported` asks of them, `version` and `bucket`."""
        found = self._query(
            statements.text("unreported_spans"),
            {"trace_ids": [one.hex() for one in trace_ids], "limit": MAX_SPANS},
        )
        by_trace: dict[bytes, list[dict[str, Any]]] = defaultdict(list)
        for row in found:
            by_trace[row["trace_id"]].append(row)
        for trace_id, spans in by_trace.items():
            columns: dict[str, list[Any]] = {name: [row[name] for row in spans] for name in _SAME}
            columns["cost_nano"] = [trace_spans.nano(row["cost_usd"]) for row in spans]
            yield TraceSpans(self.project_id, trace_id, columns)

    def rewrite(
        self,
        calls: Sequence[Unreported],
        estimate: Callable[[Span], bool],
        undeleted: Callable[[Collection[bytes]], Collection[bytes]],
    ) -> int:
        """Writes the usage and cost that `estimate` sets of a call, when it says so, as new
        versions of the rows; returns how many. `undeleted` says at the last moment which of the
        traces are still there.

        Raises QueryTooLarge when the rows are too large to be read at once.
        """
        since, until = min(call.bucket for call in calls), max(call.bucket for call in calls) + 1
        changed = []
        for row in self.whole_spans(since, until, [call.key for call in calls]):
            span = rows.to_span(row)
            if estimate(span):
                _fill(row, span)
                changed.append(row)
        kept = undeleted({row["trace_id"] for row in changed})
        return self.write_spans([row for row in changed if row["trace_id"] in kept])


def _fill(row: dict[str, Any], span: Span) -> None:
    usage = span.usage
    assert usage is not None
    row["has_usage"] = row["is_estimated"] = True
    row["uncached_input_tokens"] = cells.tokens(usage.uncached_input)
    row["output_tokens"] = cells.tokens(usage.output)
    row["reasoning_tokens"] = cells.tokens(usage.reasoning)
    row["computed_cost_usd"] = cells.money(span.computed_cost_usd)
    row["price_version"] = span.price_version
    row["prefers_computed"] = span.prefers_computed
    row["sources_json"] = rows.sources_text(span.sources)
