"""What is estimated: calls of which nobody reports the usage, and each token once."""

from __future__ import annotations

from typing import Any

from tests.traces import test_totals
from traces import totals, trace_spans, unreported

CALL = {"kind": "llm", "input": "asked", "output": "answered"}


def row(number: int, parent: int = 0, tokens: int | None = None, **fields: Any) -> dict[str, Any]:
    return test_totals.row(number, parent, tokens, **{**CALL, **fields})


def estimated(number: int, parent: int = 0, tokens: int = 7, **fields: Any) -> dict[str, Any]:
    return row(number, parent, tokens, is_estimated=True, **fields)


def to_estimate(*rows: dict[str, Any]) -> set[int]:
    trace = trace_spans.of_rows(list(rows))
    return {rows[at]["span_id"][-1] for at in unreported.to_estimate(trace)}


def tokens(*rows: dict[str, Any]) -> tuple[int, int]:
    """All that count, and of them the estimated."""
    summary = totals.summarize_all(list(rows), is_running=False)[0]
    return (summary.usage.total if summary.usage else 0), summary.estimated_tokens


def test_calls_that_report_nothing_are_to_be_estimated() -> None:
    assert to_estimate(row(1, kind="agent"), row(2, 1), row(3, 1, kind="embedding")) == {2, 3}


def test_what_reports_or_is_no_call_is_not() -> None:
    assert to_estimate(row(1, kind="agent"), row(2, 1, 10), row(3, 1, kind="tool")) == set()


def test_a_call_without_a_text_or_that_failed_or_still_runs_is_not() -> None:
    assert (
        to_estimate(
            row(1, input="", output=""),
            row(2, status="error", output=""),
            row(3, end_ns=0),
            row(4, kind="embedding", input=""),
        )
        == set()
    )
    assert to_estimate(row(5, status="error")) == {5}  # it answered before it failed


def test_below_an_agent_that_reports_its_run_nothing_is() -> None:
    assert to_estimate(row(1, 0, 50, kind="agent"), row(2, 1), row(3, 2, kind="tool")) == set()


def test_a_wrapper_of_a_call_that_reports_is_not() -> None:
    assert to_estimate(row(1), row(2, 1, kind="chain"), row(3, 2, 10)) == set()


def test_a_call_made_by_a_tool_of_a_call_is_a_call_of_its_own() -> None:
    assert to_estimate(row(1), row(2, 1, kind="tool"), row(3, 2, 10)) == {1}
    assert to_estimate(row(1, 0, 10), row(2, 1, kind="tool"), row(3, 2)) == {3}


def test_of_calls_in_one_another_only_the_innermost_is() -> None:
    assert to_estimate(row(1), row(2, 1), row(3, 2)) == {3}


def test_spans_that_are_their_own_ancestors_end_the_search() -> None:
    assert to_estimate(row(1, 2), row(2, 1)) <= {1, 2}


def test_estimates_add_up_beside_what_is_reported() -> None:
    assert tokens(row(1, kind="agent"), row(2, 1, 10), estimated(3, 1)) == (17, 7)


def test_what_is_reported_later_counts_instead_of_the_estimate() -> None:
    assert tokens(row(1, 0, 3, kind="agent"), estimated(2, 1, 700)) == (3, 0)
    assert tokens(estimated(1, 0, 700), row(2, 1, 3)) == (3, 0)
