"""Figures of a group of traces or spans, as rows of the engine hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Figures:
    """Durations are nanoseconds. `cost_usd` is None where no price is known of anything."""

    count: int
    errors: int
    p50_ns: int
    p95_ns: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None

    @property
    def error_rate(self) -> float:
        return self.errors / self.count if self.count else 0.0

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


def of(row: Mapping[str, Any], *, count: str, errors: str) -> Figures:
    """`count` and `errors` name the row's columns."""
    p50, p95 = (0 if math.isnan(value) else int(value) for value in row["durations"])
    return Figures(
        count=row[count],
        errors=row[errors],
        p50_ns=p50,
        p95_ns=p95,
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        cost_usd=row["cost_usd"],
    )
