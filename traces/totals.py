"""From the spans of a trace to its one summary: root, totals that count each token once, facts.

Pure: rows in (as `spans_of_traces` and `system_spans_of_traces` return them), summaries out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, cast

from traces import previews, shares
from traces.spans import Usage
from traces.store.rows import TraceSummary, parent_of, usage_of

Row = Mapping[str, Any]
# Between two model calls one of these means two calls; without one the outer restates the inner.
_WORK_BETWEEN = {"tool", "agent", "retriever", "reranker"}
_CALLS = {"llm", "embedding"}
_MAX_METADATA = 200
CLOCK_AHEAD_SECONDS = 5 * 60
"""So far a sender's clock may run ahead of ours; one further ahead says nothing about when."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Weight = tuple[int, Decimal]
"""Tokens, then US dollars: any token outweighs any money."""


def summarize_all(spans: Iterable[Row], *, is_running: bool) -> list[TraceSummary]:
    """One summary a trace, in no particular order."""
    by_trace: dict[tuple[Any, bytes], list[Row]] = defaultdict(list)
    for row in spans:
        by_trace[row["project_id"], row["trace_id"]].append(row)
    return [summarize(rows, is_running=is_running) for rows in by_trace.values()]


def summarize(spans: Sequence[Row], *, is_running: bool) -> TraceSummary:
    """The summary of one trace from all of its deduplicated spans (at least one)."""
    ordered = sorted(spans, key=lambda row: (row["start_ns"], row["span_id"]))
    ids = {row["span_id"] for row in ordered}
    root = _root(ordered, ids)
    start_ns, end_ns = _times(ordered)
    counted, uncounted = _counted(ordered)
    usages = [usage for row in counted if (usage := usage_of(row))]
    costs = [cost for row in counted if (cost := _cost(row)) is not None]
    has_error = any(r["status"] == "error" for r in ordered if r["is_local_root"] or r is root)
    input_text = root["input"] or _first(ordered, "input")
    # What a child said is not the answer of a run that ended in an error.
    failed_silent = root["status"] == "error" and not root["output"]
    output_text = root["output"] or ("" if failed_silent else _first(reversed(ordered), "output"))
    error = previews.of_error(root["error_type"], root["error_message"]) if failed_silent else ""
    return TraceSummary(
        project_id=root["project_id"],
        trace_id=root["trace_id"],
        name=_first(ordered, "trace_name") or root["name"],
        kind=root["kind"],
        status="error" if has_error else "running" if is_running else "ok",
        start_ns=start_ns,
        end_ns=end_ns,
        span_count=len(ordered),
        error_count=sum(row["status"] == "error" for row in ordered),
        session_id=root["session_id"] or _first(ordered, "session_id"),
        user_id=root["user_id"] or _first(ordered, "user_id"),
        input_preview=previews.of(input_text, role="user"),
        output_preview=previews.of(output_text, role="assistant"),
        error_preview=error,
        environment=root["environment"] or _first(ordered, "environment"),
        release=root["release"] or _first(ordered, "release"),
        service_name=root["service_name"] or _first(ordered, "service_name"),
        models=_distinct(ordered, "model"),
        agents=_distinct(ordered, "agent_name"),
        tools=_distinct(ordered, "tool_name"),
        tags=_tags(ordered, root),
        metadata=_metadata(ordered, root),
        git_repo=root["git_repo"] or _first(ordered, "git_repo"),
        git_ref=root["git_ref"] or _first(ordered, "git_ref"),
        usage=_sum(usages) if usages else None,
        cost_usd=sum(costs, Decimal(0)) if costs else None,
        usage_shares=shares.of(ordered, uncounted),
        unpriced_spans=sum(_is_unpriced(row) for row in counted),
        uncounted_span_ids=frozenset(uncounted),
        orphan_spans=sum(_is_orphan(row, ids) for row in ordered),
        is_rootless=not any(row["is_local_root"] for row in ordered),
        is_evaluation=any(row["is_evaluation"] for row in ordered),
    )


def _times(ordered: Sequence[Row]) -> tuple[int, int]:
    """Start and end to list a trace by; its spans keep what was sent.

    Of a clock that is ahead (2200, or an overflow) only distances are believed: such a trace began
    when it was stored, and what began at a good time had ended when its last span was stored.
    `trace_list_running` says the same of the start.
    """
    start_ns = ordered[0]["start_ns"]
    end_ns = max(max(row["end_ns"], row["start_ns"]) for row in ordered)
    stored = [row["stored_at"] for row in ordered]
    ahead_ns = CLOCK_AHEAD_SECONDS * 10**9
    first_ns, last_ns = _ns(min(stored)), _ns(max(stored))
    if start_ns > first_ns + ahead_ns:
        return first_ns, first_ns + (end_ns - start_ns)
    return start_ns, max(start_ns, min(end_ns, last_ns + ahead_ns))


def _ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _is_orphan(row: Row, ids: set[bytes]) -> bool:
    parent = parent_of(row)
    return bool(parent) and parent not in ids and not row["is_local_root"]


def _is_unpriced(row: Row) -> bool:
    usage = usage_of(row)
    return usage is not None and usage.total > 0 and _cost(row) is None


def _root(ordered: Sequence[Row], ids: set[bytes]) -> Row:
    """The true root, else the earliest local root, else the earliest span without its parent."""
    for is_root in (
        lambda row: not parent_of(row),
        lambda row: row["is_local_root"],
        lambda row: parent_of(row) not in ids,
    ):
        found = next((row for row in ordered if is_root(row)), None)
        if found is not None:
            return found
    return ordered[0]


@dataclass(slots=True)
class _Reported:
    """What counts at or below a span: of model calls no work stands before, and of all the rest."""

    open: _Weight = (0, Decimal(0))
    sealed: _Weight = (0, Decimal(0))
    open_spans: int = 0
    sealed_spans: int = 0


def _counted(ordered: Sequence[Row]) -> tuple[list[Row], set[bytes]]:
    """Spans whose usage adds up to the trace's, and the ids of those that only restate it.

    A span that wraps reporting spans restates them: the larger of the two sides counts, never both.
    A model call that leads to another one through a tool or agent is a call of its own.

    Two walks, each over every span once: upwards to decide which side is larger, downwards to
    leave out what the decisions have replaced.
    """
    below = _children(ordered)
    walk = _walk(ordered, below)
    wins = _winners(walk, below)
    counted: list[Row] = []
    uncounted: set[bytes] = set()
    # Of each parent: is everything below it left out, and what no work stands before?
    left_out: dict[bytes, tuple[bool, bool]] = {}
    for row, parent in walk:
        all_out, open_out = left_out[parent] if parent else (False, False)
        span_id, win = row["span_id"], wins[row["span_id"]]
        if win is not None:
            if win and not (all_out or open_out):
                counted.append(row)
            else:
                uncounted.add(span_id)
        if win and row["kind"] in _CALLS:
            open_out = True
        elif win:
            all_out = True
        # What is under work counts for itself, unless a wrapper has replaced everything.
        left_out[span_id] = (all_out, open_out and row["kind"] not in _WORK_BETWEEN)
    return counted, uncounted


def _winners(
    walk: Sequence[tuple[Row, bytes]], below: Mapping[bytes, Sequence[Row]]
) -> dict[bytes, bool | None]:
    """Of each span: does it outweigh what it restates; None when it reports nothing."""
    wins: dict[bytes, bool | None] = {}
    sums: dict[bytes, _Reported] = {}
    for row, parent in reversed(walk):
        span_id = row["span_id"]
        found = sums.pop(span_id, None) or _Reported()
        own = _weight(row)
        wins[span_id] = None if own is None else _outweighs(row, own, found)
        if own is not None and wins[span_id]:
            if row["kind"] not in _CALLS:
                found.sealed, found.sealed_spans = (0, Decimal(0)), 0
            found.open, found.open_spans = own, 1
        elif row["kind"] in _WORK_BETWEEN:
            found.sealed = _plus(found.sealed, found.open)
            found.sealed_spans += found.open_spans
            found.open, found.open_spans = (0, Decimal(0)), 0
        if parent:
            _add(sums.setdefault(parent, _Reported()), found)
    return wins


def _outweighs(row: Row, own: _Weight, under: _Reported) -> bool:
    if row["kind"] in _CALLS:
        return not under.open_spans or own > under.open
    return not (under.open_spans or under.sealed_spans) or own > _plus(under.open, under.sealed)


def _add(total: _Reported, found: _Reported) -> None:
    total.open, total.sealed = _plus(total.open, found.open), _plus(total.sealed, found.sealed)
    total.open_spans += found.open_spans
    total.sealed_spans += found.sealed_spans


def _plus(one: _Weight, other: _Weight) -> _Weight:
    return one[0] + other[0], one[1] + other[1]


def _weight(row: Row) -> _Weight | None:
    """What a span reports: tokens, and money only where there are no tokens to compare."""
    usage = usage_of(row)
    if usage is not None:
        return usage.total, Decimal(0)
    cost = _cost(row)
    return (0, cost) if cost is not None else None


def _children(ordered: Sequence[Row]) -> dict[bytes, list[Row]]:
    ids = {row["span_id"] for row in ordered}
    below: dict[bytes, list[Row]] = defaultdict(list)
    for row in ordered:
        parent = parent_of(row)
        below[parent if parent in ids and parent != row["span_id"] else b""].append(row)
    return below


def _walk(ordered: Sequence[Row], below: Mapping[bytes, Sequence[Row]]) -> list[tuple[Row, bytes]]:
    """Each span once with the parent it was reached by, parents first, without recursion.

    Spans that are their own ancestors are reached by no top: the first of them becomes one.
    """
    walk: list[tuple[Row, bytes]] = []
    seen: set[bytes] = set()
    for top in (*below.get(b"", ()), *ordered):
        stack = [(top, b"")]
        while stack:
            row, parent = stack.pop()
            if row["span_id"] in seen:
                continue
            seen.add(row["span_id"])
            walk.append((row, parent))
            stack.extend((child, row["span_id"]) for child in below.get(row["span_id"], ()))
    return walk


def _sum(usages: Sequence[Usage]) -> Usage:
    return Usage(
        uncached_input=sum(u.uncached_input for u in usages),
        cache_read=sum(u.cache_read for u in usages),
        cache_write_5m=sum(u.cache_write_5m for u in usages),
        cache_write_1h=sum(u.cache_write_1h for u in usages),
        output=sum(u.output for u in usages),
        reasoning=sum(u.reasoning for u in usages),
    )


def _cost(row: Row) -> Decimal | None:
    return cast("Decimal | None", row["cost_usd"])


def _first(rows: Iterable[Row], name: str) -> str:
    return next((row[name] for row in rows if row[name]), "")


def _distinct(rows: Sequence[Row], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row[name] for row in rows if row[name]))[:50]


def _tags(ordered: Sequence[Row], root: Row) -> tuple[str, ...]:
    tags = [*root["tags"], *(tag for row in ordered for tag in row["trace_tags"])]
    return tuple(dict.fromkeys(tags))[:100]


def _metadata(ordered: Sequence[Row], root: Row) -> dict[str, str]:
    merged = dict(root["metadata"])
    for row in ordered:
        merged.update(row["trace_metadata"])
    return dict(islice(merged.items(), _MAX_METADATA))
