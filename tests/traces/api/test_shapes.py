"""Parts of the API's answers that need no store."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pytest

from tests.traces import made
from traces.api import shapes


@pytest.mark.parametrize(
    ("reported", "computed", "prefers_computed", "source", "total"),
    [
        ("0.5", "0.25", False, "reported", 0.5),
        ("0.5", "0.25", True, "computed", 0.25),
        ("0.5", None, True, "reported", 0.5),
        (None, "0.25", False, "computed", 0.25),
    ],
)
def test_a_cost_says_whose_figure_it_is(
    reported: str | None, computed: str | None, prefers_computed: bool, source: str, total: float
) -> None:
    span = made.span(uuid.uuid4(), made.trace_id(), 1)
    span.reported_cost_usd = Decimal(reported) if reported else None
    span.computed_cost_usd = Decimal(computed) if computed else None
    span.prefers_computed = prefers_computed
    details = shapes.cost_details(span)
    assert (details["source"], details["total"]) == (source, total)
