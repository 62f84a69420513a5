"""Whose the usage of a trace is: what its counted spans report, added up by model and agent.

Pure, like `totals`, which decides which spans count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from traces.store import cells

MAX_SHARES = 50
"""What is beyond the first so many comes together under no name."""
COLUMN_TYPE = (
    "Array(Tuple(model LowCardinality(String), agent LowCardinality(String), calls UInt32,"
    " failed_calls UInt32, input_tokens UInt64, output_tokens UInt64, cost_usd Decimal(18, 9)))"
)
_CALLS = {"llm", "embedding"}
_NOBODY = ("", "")


@dataclass(slots=True)
class UsageShare:
    """What one agent used of one model in one trace. Money is 0 where no price is known."""

    model: str
    agent: str
    calls: int = 0
    failed_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = Decimal(0)

    def row(self) -> tuple[Any, ...]:
        """As the column `usage_shares` holds it, made to fit."""
        return (
            self.model,
            self.agent,
            self.calls,
            self.failed_calls,
            cells.tokens(self.input_tokens),
            cells.tokens(self.output_tokens),
            cells.money(self.cost_usd),
        )


def of(spans: Iterable[Mapping[str, Any]], uncounted: Collection[bytes]) -> tuple[UsageShare, ...]:
    """Of the spans that report usage or cost and count, and of model calls that report nothing."""
    shares: dict[tuple[str, str], UsageShare] = {}
    for row in spans:
        cost = row["cost_usd"]
        is_call = row["kind"] in _CALLS
        if row["span_id"] in uncounted or not (row["has_usage"] or cost is not None or is_call):
            continue
        whose = row["model"], row["agent_name"]
        if whose not in shares and len(shares) >= MAX_SHARES:
            whose = _NOBODY
        share = shares.get(whose)
        if share is None:
            share = shares[whose] = UsageShare(*whose)
        share.calls += 1
        share.failed_calls += row["status"] == "error"
        share.cost_usd += cost or 0
        if row["has_usage"]:
            share.input_tokens += (
                row["uncached_input_tokens"]
                + row["cache_read_tokens"]
                + row["cache_write_5m_tokens"]
                + row["cache_write_1h_tokens"]
            )
            share.output_tokens += row["output_tokens"]
    return tuple(shares.values())
