"""From the spans of a trace to its one summary: root, totals that count each token once, facts.

Pure: rows in (as `spans_of_traces` and `system_spans_of_traces` return them), summaries out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from traces import previews
from traces.spans import Usage
from traces.store.rows import TraceSummary, parent_of, usage_of

Row = Mapping[str, Any]
# Between two model calls one of these means two calls; without one the outer restates the inner.
_WORK_BETWEEN = {"tool", "agent", "retriever", "reranker"}
_CALLS = {"llm", "embedding"}


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
    counted, uncounted = _counted(ordered)
    usages = [usage for row in counted if (usage := usage_of(row))]
    costs = [cost for row in counted if (cost := _cost(row)) is not None]
    has_error = any(r["status"] == "error" for r in ordered if r["is_local_root"] or r is root)
    input_text = root["input"] or _first(ordered, "input")
    output_text = root["output"] or _first(reversed(ordered), "output")
    return TraceSummary(
        project_id=root["project_id"],
        trace_id=root["trace_id"],
        name=_first(ordered, "trace_name") or root["name"],
        kind=root["kind"],
        status="error" if has_error else "running" if is_running else "ok",
        start_ns=ordered[0]["start_ns"],
        end_ns=max(max(row["end_ns"], row["start_ns"]) for row in ordered),
        span_count=len(ordered),
        error_count=sum(row["status"] == "error" for row in ordered),
        session_id=root["session_id"] or _first(ordered, "session_id"),
        user_id=root["user_id"] or _first(ordered, "user_id"),
        input_preview=previews.of(input_text, role="user"),
        output_preview=previews.of(output_text, role="assistant"),
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
        unpriced_spans=sum(bool(row["has_usage"]) and _cost(row) is None for row in counted),
        uncounted_span_ids=frozenset(uncounted),
        orphan_spans=sum(bool(p := parent_of(r)) and p not in ids and not r["is_local_root"] for r in ordered),
        is_rootless=not any(row["is_local_root"] for row in ordered),
        is_evaluation=any(row["is_evaluation"] for row in ordered),
    )


def _root(ordered: Sequence[Row], ids: set[bytes]) -> Row:
    """The true root, else the earliest local root, else the earliest span whose parent is missing."""
    for is_root in (
        lambda row: not parent_of(row),
        lambda row: row["is_local_root"],
        lambda row: parent_of(row) not in ids,
    ):
        found = next((row for row in ordered if is_root(row)), None)
        if found is not None:
            return found
    return ordered[0]


def _counted(ordered: Sequence[Row]) -> tuple[list[Row], set[bytes]]:
    """Spans whose usage adds up to the trace's, and the ids of those that only restate it.

    A span that wraps reporting spans restates them: the larger of the two sides counts, never both.
    A model call that leads to another one through a tool or agent is a call of its own.
    """
    by_id = {row["span_id"]: row for row in ordered}
    children: dict[bytes, list[Row]] = defaultdict(list)
    tops: list[Row] = []
    for row in ordered:
        parent = parent_of(row)
        (children[parent] if parent in by_id and parent != row["span_id"] else tops).append(row)
    below: dict[bytes, list[Row]] = {}
    for row in _post_order(tops, children, ordered):
        under = [counted for child in children[row["span_id"]] for counted in below.pop(child["span_id"], [])]
        below[row["span_id"]] = _decide(row, under, by_id)
    counted = [row for rows in below.values() for row in rows]
    counted_ids = {row["span_id"] for row in counted}
    reporting = {row["span_id"] for row in ordered if row["has_usage"] or _cost(row) is not None}
    return counted, reporting - counted_ids


def _decide(row: Row, under: list[Row], by_id: Mapping[bytes, Row]) -> list[Row]:
    own = _weight(row)
    if own is None:
        return under
    if not under:
        return [row]
    if row["kind"] in _CALLS:
        separate = [inner for inner in under if _passes_work(inner, row["span_id"], by_id)]
        restated = [inner for inner in under if inner not in separate]
        return [*separate, *_larger(row, own, restated)]
    return _larger(row, own, under)


def _larger(row: Row, own: Decimal, under: list[Row]) -> list[Row]:
    inner = sum((_weight(inner) or Decimal(0) for inner in under), Decimal(0))
    return [row] if own > inner else under


def _weight(row: Row) -> Decimal | None:
    """What a span reports, in tokens; one that reports only money weighs less than any token."""
    usage = usage_of(row)
    if usage is not None:
        return Decimal(usage.total)
    cost = _cost(row)
    return cost / 1_000_000 if cost is not None else None


def _passes_work(inner: Row, top: bytes, by_id: Mapping[bytes, Row]) -> bool:
    seen = {inner["span_id"]}
    current = by_id.get(parent_of(inner))
    while current is not None and current["span_id"] != top and current["span_id"] not in seen:
        if current["kind"] in _WORK_BETWEEN:
            return True
        seen.add(current["span_id"])
        current = by_id.get(parent_of(current))
    return False


def _post_order(
    tops: Sequence[Row], children: Mapping[bytes, list[Row]], ordered: Sequence[Row]
) -> Iterable[Row]:
    """Children before parents, without recursion; spans caught in a parent cycle come last, flat."""
    stack = [(row, False) for row in tops]
    seen: set[bytes] = set()
    while stack:
        row, is_done = stack.pop()
        if is_done:
            yield row
            continue
        if row["span_id"] in seen:
            continue
        seen.add(row["span_id"])
        stack.append((row, True))
        stack.extend((child, False) for child in children.get(row["span_id"], ()))
    yield from (row for row in ordered if row["span_id"] not in seen)


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
    reported = row["reported_cost_usd"]
    return cast("Decimal | None", reported if reported is not None else row["computed_cost_usd"])


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
    return merged
