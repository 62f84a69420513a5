"""Each token counts once, whatever the shape of the trace."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.traces import made
from traces import totals
from traces.store.rows import NO_SPAN

PROJECT = uuid.uuid4()
TRACE = b"\x01" * 16
STORED_AT = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
STORED_NS = int(STORED_AT.timestamp()) * 10**9
MINUTE = 60 * 10**9
TEXTS = (
    "agent_name", "tool_name", "model", "session_id", "user_id", "environment", "release",
    "service_name", "trace_name", "git_repo", "git_ref", "input", "output",
    "error_type", "error_message",
)  # fmt: skip


def row(number: int, parent: int = 0, tokens: int | None = None, **fields: Any) -> dict[str, Any]:
    """A row as `spans_of_traces` returns it."""
    empty = dict.fromkeys(TEXTS, "")
    return {
        "project_id": PROJECT,
        "trace_id": TRACE,
        "span_id": made.span_id(number),
        "parent_span_id": made.span_id(parent) if parent else NO_SPAN,
        "name": f"span {number}",
        "kind": "span",
        "status": "unset",
        "start_ns": 1000 + number,
        "end_ns": 2000,
        "is_local_root": not parent,
        "stored_at": STORED_AT,
        **empty,
        "tags": [],
        "metadata": {},
        "trace_tags": [],
        "trace_metadata": {},
        "is_evaluation": False,
        "has_usage": tokens is not None,
        "uncached_input_tokens": 0,
        "cache_read_tokens": 0,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
        "output_tokens": tokens or 0,
        "reasoning_tokens": 0,
        "cost_usd": None,
        **fields,
    }


def counted(*rows: dict[str, Any]) -> set[int]:
    """Numbers of the reporting spans whose usage makes up the total."""
    summary = totals.summarize(rows, is_running=False)
    reporting = [r for r in rows if r["has_usage"] or r["cost_usd"] is not None]
    taken = [r for r in reporting if r["span_id"] not in summary.uncounted_span_ids]
    total = sum(r["output_tokens"] for r in taken if r["has_usage"])
    assert (summary.usage.output if summary.usage else 0) == total
    costs = [r["cost_usd"] for r in taken if r["cost_usd"] is not None]
    assert summary.cost_usd == (sum(costs, Decimal(0)) if costs else None)
    return {int.from_bytes(r["span_id"], "big") for r in taken}


def llm(number: int, parent: int = 0, tokens: int | None = 10, **fields: Any) -> dict[str, Any]:
    return row(number, parent, tokens, kind="llm", **fields)


def test_calls_side_by_side_add_up() -> None:
    assert counted(row(1, kind="agent"), llm(2, 1), llm(3, 1)) == {2, 3}


def test_a_wrapper_that_repeats_its_calls_is_not_counted() -> None:
    assert counted(row(1, tokens=20, kind="agent"), llm(2, 1), llm(3, 1)) == {2, 3}


def test_a_wrapper_that_knows_of_more_stands_for_its_calls() -> None:
    assert counted(row(1, tokens=25, kind="agent"), llm(2, 1), llm(3, 1)) == {1}


def test_two_instrumentations_of_one_call_are_one_call() -> None:
    assert counted(llm(1, tokens=10), row(2, 1), llm(3, 2, tokens=10)) == {3}
    assert counted(llm(1, tokens=11), row(2, 1), llm(3, 2, tokens=10)) == {1}


@pytest.mark.parametrize("kind", ["tool", "agent", "retriever", "reranker"])
def test_a_call_made_by_work_inside_a_call_is_a_call_of_its_own(kind: str) -> None:
    assert counted(llm(1), row(2, 1, kind=kind), llm(3, 2)) == {1, 3}
    assert counted(llm(1, tokens=0), row(2, 1, kind=kind), llm(3, 2)) == {1, 3}


def test_of_a_call_with_both_only_the_repeated_part_is_replaced() -> None:
    rows = (llm(1, tokens=15), llm(2, 1, tokens=10), row(3, 1, kind="tool"), llm(4, 3, tokens=99))
    assert counted(*rows) == {1, 4}


def test_an_outer_wrapper_replaces_even_separate_calls() -> None:
    rows = (row(1, tokens=500, kind="chain"), llm(2, 1), row(3, 2, kind="tool"), llm(4, 3))
    assert counted(*rows) == {1}


def test_what_a_dropped_wrapper_left_out_stays_left_out() -> None:
    rows = (row(1, tokens=10, kind="chain"), row(2, 1, tokens=20, kind="agent"), llm(3, 2))
    assert counted(*rows) == {2}


def test_money_without_tokens_counts_once_too() -> None:
    cent = Decimal("0.01")
    wrapper = row(1, kind="agent", cost_usd=2 * cent)
    calls = [row(n, 1, kind="llm", cost_usd=cent) for n in (2, 3)]
    assert counted(wrapper, *calls) == {2, 3}
    assert counted(row(1, cost_usd=cent)) == {1}


def test_tokens_outweigh_money() -> None:
    assert counted(row(1, cost_usd=Decimal(5)), llm(2, 1, tokens=1)) == {2}


def test_no_report_is_not_zero() -> None:
    summary = totals.summarize([row(1)], is_running=False)
    assert (summary.usage, summary.cost_usd, summary.unpriced_spans) == (None, None, 0)


def test_calls_without_a_price_are_said() -> None:
    summary = totals.summarize([llm(1), llm(2, tokens=0)], is_running=False)
    assert summary.unpriced_spans == 1


@pytest.mark.parametrize("cycle", [[(1, 2), (2, 1)], [(1, 1)], [(1, 3), (2, 1), (3, 2)]])
def test_spans_that_are_their_own_ancestors_are_counted_once(cycle: list[tuple[int, int]]) -> None:
    rows = [llm(number, parent) for number, parent in cycle]
    summary = totals.summarize(rows, is_running=False)
    assert summary.span_count == len(cycle)
    assert summary.usage is not None
    assert summary.usage.output == 10


def test_orphans_several_roots_and_none() -> None:
    two = totals.summarize([row(1), row(2), row(3, 77), row(4, 3)], is_running=False)
    assert (two.orphan_spans, two.is_rootless, two.name) == (1, False, "span 1")
    none = totals.summarize([row(4, 3), row(3, 77)], is_running=False)
    assert (none.orphan_spans, none.is_rootless, none.name) == (1, True, "span 3")


def test_the_true_root_names_the_trace_although_it_started_later() -> None:
    root = row(9, start_ns=5000, session_id="s", kind="agent")
    remote = row(2, 1, is_local_root=True, session_id="other")
    summary = totals.summarize([remote, root], is_running=False)
    assert (summary.name, summary.kind, summary.session_id) == ("span 9", "agent", "s")


def test_status_is_the_roots_not_that_of_any_span() -> None:
    inner = [row(1), row(2, 1, status="error")]
    assert totals.summarize(inner, is_running=False).status == "ok"
    assert totals.summarize(inner, is_running=True).status == "running"
    assert totals.summarize([row(1, status="error")], is_running=True).status == "error"
    assert totals.summarize(inner, is_running=False).error_count == 1


def test_one_evaluation_span_marks_the_trace() -> None:
    rows = [row(1), row(2, 1, is_evaluation=True)]
    assert totals.summarize(rows, is_running=False).is_evaluation


def test_metadata_of_hostile_size_is_cut() -> None:
    wide = row(1, trace_metadata={str(n): "x" for n in range(5000)})
    assert len(totals.summarize([wide], is_running=False).metadata) == 200


def test_times_that_run_backwards_are_no_negative_duration() -> None:
    summary = totals.summarize([row(1, start_ns=5000, end_ns=10)], is_running=False)
    assert summary.duration_ns == 0


def times(*rows: dict[str, Any]) -> tuple[int, int]:
    """Start after storing, and duration."""
    summary = totals.summarize(rows, is_running=False)
    return summary.start_ns - STORED_NS, summary.duration_ns


def test_a_clock_that_is_minutes_ahead_is_believed() -> None:
    start = STORED_NS + 4 * MINUTE
    assert times(row(1, start_ns=start, end_ns=start + 9)) == (4 * MINUTE, 9)


@pytest.mark.parametrize("ahead", [6 * MINUTE, 174 * 365 * 24 * 60 * MINUTE])
def test_of_a_clock_that_is_far_ahead_only_distances_are_believed(ahead: int) -> None:
    start = STORED_NS + ahead
    child = row(2, 1, start_ns=start + 3, end_ns=start + 8)
    assert times(row(1, start_ns=start, end_ns=start + 9), child) == (0, 9)


def test_the_last_instant_there_is_has_a_place_too() -> None:
    assert times(row(1, start_ns=2**64 - 1, end_ns=2**64 - 1)) == (0, 0)
    assert times(row(1, start_ns=2**64 - 1, end_ns=0)) == (0, 0)


def test_what_was_stored_had_ended_by_then() -> None:
    """One span of a broken clock does not make its trace last for centuries."""
    good = row(1, start_ns=STORED_NS - MINUTE, end_ns=STORED_NS - 9)
    broken = row(2, 1, start_ns=2**64 - 9, end_ns=2**64 - 1)
    assert times(good, broken) == (-MINUTE, 6 * MINUTE)


def test_projects_are_kept_apart_even_with_equal_trace_ids() -> None:
    other = {**row(1, name="theirs"), "project_id": uuid.uuid4()}
    found = totals.summarize_all([row(1), other], is_running=False)
    assert sorted((s.name, s.span_count) for s in found) == [("span 1", 1), ("theirs", 1)]


class Looked(dict[str, Any]):
    """A row that counts how often somebody looks into any of its kind."""

    looks = 0

    def __getitem__(self, key: str) -> Any:
        Looked.looks += 1
        return super().__getitem__(key)


def looks(below: list[dict[str, Any]]) -> int:
    rows = [Looked(each) for each in (row(1, kind="agent"), *below)]
    random.Random(1).shuffle(rows)
    before = Looked.looks
    assert totals.summarize(rows, is_running=False).span_count == len(below) + 1
    return Looked.looks - before


@pytest.mark.parametrize(
    "span",
    [
        pytest.param(lambda n: llm(n, 1), id="wide"),
        pytest.param(lambda n: llm(n, n - 1), id="deep"),
        pytest.param(lambda n: row(n, n - 1, 5, kind=("llm", "tool")[n % 2]), id="nested"),
    ],
)
def test_ten_times_the_spans_are_ten_times_the_work(span: Callable[[int], dict[str, Any]]) -> None:
    few = looks([span(n) for n in range(2, 1_001)])
    many = looks([span(n) for n in range(2, 10_001)])
    assert many < 11 * few


def test_a_chain_of_a_hundred_thousand_is_no_recursion() -> None:
    rows = [llm(n, n - 1, tokens=n) for n in range(1, 100_001)]
    summary = totals.summarize(rows, is_running=False)
    assert summary.usage is not None
    assert summary.usage.output == 100_000


def test_a_failed_run_without_output_shows_its_error_and_not_what_a_child_said() -> None:
    child = row(2, 1, kind="tool", output="ok")
    failed = row(1, status="error", error_type="KeyError", error_message="'JPY'")
    summary = totals.summarize([failed, child], is_running=False)
    assert (summary.status, summary.output_preview) == ("error", "")
    assert summary.error_preview == "KeyError: 'JPY'"


def test_what_a_run_said_itself_is_shown_although_it_failed() -> None:
    failed = row(1, status="error", error_message="too late", output="Half of it.")
    summary = totals.summarize([failed, row(2, 1, output="ok")], is_running=False)
    assert (summary.output_preview, summary.error_preview) == ("Half of it.", "")


def test_a_run_that_went_well_without_output_still_shows_its_last_child() -> None:
    broken = row(2, 1, status="error", error_message="no such page")
    summary = totals.summarize([row(1), broken, row(3, 1, output="Done.")], is_running=False)
    assert (summary.status, summary.output_preview, summary.error_preview) == ("ok", "Done.", "")
