"""What is missing from a trace, and how much that matters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.traces.test_totals import row
from traces import completeness, totals, trace_spans
from traces.completeness import Completeness

SECOND = 10**9


def judged(*rows: dict[str, Any]) -> Completeness:
    trace = trace_spans.of_rows(rows)
    return completeness.of(trace, totals.root_of(trace))


def timed(number: int, parent: int, start: float, end: float, **fields: Any) -> dict[str, Any]:
    times = {"start_ns": int(start * SECOND), "end_ns": int(end * SECOND)}
    return row(number, parent, **times, **fields)


def test_a_whole_trace_misses_nothing() -> None:
    assert judged(timed(1, 0, 0, 30), timed(2, 1, 0, 12), timed(3, 1, 14, 30)) == Completeness()


def test_a_trace_of_one_span_is_whole() -> None:
    assert judged(timed(1, 0, 0, 3600)) == Completeness()


def test_spans_without_their_parent_are_orphans_and_several_may_miss_the_same() -> None:
    found = judged(row(1), row(2, 1), row(3, 9), row(4, 9))
    assert found == Completeness(50, {"orphans": 2, "parents": 1})


def test_a_local_root_with_a_parent_elsewhere_is_no_orphan() -> None:
    assert judged(row(2, 9, is_local_root=True), row(3, 2)) == Completeness()


def test_a_trace_without_any_root_is_less_than_whole() -> None:
    found = judged(row(2, 1), row(3, 2))
    assert found == Completeness(35, {"root": 1, "orphans": 1, "parents": 1})


def test_a_long_stretch_without_spans_is_a_gap_whoever_encloses_it() -> None:
    found = judged(
        timed(1, 0, 0, 100), timed(2, 1, 0, 100), timed(3, 2, 0, 20), timed(4, 2, 70, 100)
    )
    assert found == Completeness(50, {"gaps": 1, "gap_seconds": 50})


@pytest.mark.parametrize("until", [4.0, 96.0], ids=["short", "a small share"])
def test_a_pause_is_no_gap(until: float) -> None:
    end = 5.0 if until < 5 else 100.0
    assert judged(timed(1, 0, 0, end), timed(2, 1, 0, 1), timed(3, 1, 1, until)) == Completeness()


def test_a_child_before_its_root_and_after_it_makes_no_gap_of_its_own() -> None:
    """Clocks of two hosts differ."""
    assert judged(timed(1, 0, 10, 40), timed(2, 1, 0, 12), timed(3, 1, 12, 99)) == Completeness()


def test_a_span_without_an_end_counts() -> None:
    found = judged(row(1), row(2, 1, end_ns=0))
    assert found == Completeness(50, {"unended": 1})


def test_whatever_is_missing_the_score_is_below_100() -> None:
    rows = [row(1), *(row(n, 1) for n in range(2, 1000)), row(1000, 5000)]
    assert judged(*rows).score == 99
