"""Whose the usage of a trace is: what its counted spans report, added up by model and agent.

Pure, like `totals`, which decides which spans count.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from traces.nesting import CALLS
from traces.store import cells
from traces.trace_spans import TOKENS, TraceSpans

MAX_SHARES = 50
"""What is beyond the first so many comes together under no name."""
COLUMN_TYPE = (
    "Array(Tuple(model LowCardinality(String), agent LowCardinality(String), calls UInt32,"
    " failed_calls UInt32, input_tokens UInt64, output_tokens UInt64, cost_usd Decimal(18, 9)))"
)
_INPUT = TOKENS[:4]
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


def of(trace: TraceSpans, uncounted: Collection[bytes]) -> tuple[UsageShare, ...]:
    """Of the spans that report usage or cost and count, and of model calls that report nothing."""
    shares: dict[tuple[str, str], UsageShare] = {}
    nano: dict[tuple[str, str], int] = {}
    for at, span_id in enumerate(trace["span_id"]):
        cost, has_usage = trace["cost_nano"][at], trace["has_usage"][at]
        is_call = trace["kind"][at] in CALLS
        if span_id in uncounted or not (has_usage or cost is not None or is_call):
            continue
        whose = trace["model"][at], trace["agent_name"][at]
        if whose not in shares and len(shares) >= MAX_SHARES:
            whose = _NOBODY
        share = shares.get(whose)
        if share is None:
            share = shares[whose] = UsageShare(*whose)
            nano[whose] = 0
        share.calls += 1
        share.failed_calls += trace["status"][at] == "error"
        nano[whose] += cost or 0
        if has_usage:
            share.input_tokens += sum(trace[bucket][at] for bucket in _INPUT)
            share.output_tokens += trace["output_tokens"][at]
    for whose, share in shares.items():
        share.cost_usd = Decimal(nano[whose]).scaleb(-9)
    return tuple(shares.values())
