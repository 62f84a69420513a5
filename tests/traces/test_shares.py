"""Shares of usage add up to the trace's own totals, each token once."""

from __future__ import annotations

import time
import uuid
from decimal import Decimal

import pytest

from tests.traces import made
from tests.traces.test_totals import row
from traces import settle, shares, totals, trace_spans
from traces.shares import UsageShare
from traces.spans import Usage
from traces.store import client


def test_what_counts_is_shared_by_model_and_agent_and_a_wrapper_is_not() -> None:
    summary = totals.summarize(
        [
            row(1, tokens=30, kind="agent", model="m1", agent_name="planner"),
            row(2, 1, tokens=10, kind="llm", model="m1", agent_name="planner"),
            row(3, 1, tokens=20, kind="llm", model="m2", cost_usd=Decimal("0.5")),
            row(4, 1, kind="llm", model="m1", agent_name="planner", status="error"),
            row(5, 1, kind="tool", agent_name="planner"),
        ],
        is_running=False,
    )
    assert summary.usage_shares == (
        UsageShare("m1", "planner", calls=2, failed_calls=1, output_tokens=10),
        UsageShare("m2", "", calls=1, output_tokens=20, cost_usd=Decimal("0.5")),
    )
    assert summary.usage is not None
    assert sum(share.output_tokens for share in summary.usage_shares) == summary.usage.output


def test_a_trace_of_countless_models_has_a_bounded_row_that_still_adds_up() -> None:
    many = [row(n, tokens=1, kind="llm", model=f"m{n}") for n in range(1, 200)]
    found = shares.of(trace_spans.of_rows(many), ())
    assert len(found) == shares.MAX_SHARES + 1
    assert sum(share.calls for share in found) == 199
    assert found[-1].model == ""


@pytest.mark.usefixtures("store")
def test_a_settled_row_holds_its_shares_whatever_the_numbers() -> None:
    project_id, trace_id, now = uuid.uuid4(), made.trace_id(), time.time_ns()
    made.stored(
        made.span(
            project_id, trace_id, kind="llm", model="größe", agent_name="'", start_ns=now,
            usage=Usage(uncached_input=2**70, cache_read=5, output=7),
            reported_cost_usd=Decimal("1e30"),
        )
    )  # fmt: skip
    settle.settle_quiet()
    found = client.query(
        "SELECT usage_shares FROM traces FINAL WHERE project_id = {p:UUID}", {"p": str(project_id)}
    )
    (share,) = found[0]["usage_shares"]
    assert (share["model"], share["agent"], share["calls"]) == ("größe", "'", 1)
    assert share["output_tokens"] == 7
    assert share["input_tokens"] == 2**53
