"""Why a span costs what it costs, in the shape of the public API."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from traces.pricing import explanation
from traces.pricing.explanation import Explanation
from traces.pricing.rates import Line
from traces.spans import Span


def of_spans(spans: Sequence[Span]) -> dict[bytes, dict[str, Any] | None]:
    """By span id; None for a span about which nothing costs anything. All of one project."""
    found = explanation.of_all(spans)
    return {
        span.span_id: None if why is None else _shape(why)
        for span, why in zip(spans, found, strict=True)
    }


def _shape(why: Explanation) -> dict[str, Any]:
    return {
        "counted": why.counted,
        "total_usd": _number(why.cost_usd),
        "reported_usd": _number(why.reported_usd),
        "reported_by": why.reported_by or None,
        "computed_usd": _number(why.computed_usd),
        "price_version": why.price_version or None,
        "override_id": why.override_id or None,
        "priced_as": why.priced_as or None,
        "service_tier": why.tier or "standard",
        "above_input_tokens": why.above_tokens or None,
        "lines": [_line(line) for line in why.lines],
        "note": why.note or None,
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "bucket": line.bucket,
        "unit": line.unit,
        "quantity": line.tokens if line.unit == "token" else line.quantity,
        "usd_per_unit": _number(line.usd_per_unit),
        "cost_usd": _number(line.cost_usd),
    }


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
