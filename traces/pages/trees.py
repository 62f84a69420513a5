"""Spans of a trace as the rows of `<span-tree>`: pre-order, with times relative to its start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from traces import totals
from traces.spans import Span
from traces.store.rows import SpanOutline, TraceSummary
from traces.templatetags.figures import duration, money

_MAX_PREVIEW = 160


def rows(outline: Sequence[SpanOutline], summary: TraceSummary) -> list[dict[str, Any]]:
    """Pre-order, siblings by start. A span whose parent is missing stands at the top level; of a
    cycle in parents (a hostile or broken exporter) the first span does, with the rest below it.
    """
    if outline:  # by the spans' own clock, which the trace's listed time may correct
        summary = replace(summary, start_ns=min(span.start_ns for span in outline))
    cyclic = in_cycles(outline)
    by_id = {span.span_id: span for span in outline}
    children: dict[bytes, list[SpanOutline]] = defaultdict(list)
    for span in outline:
        parent = span.parent_span_id
        children[parent if parent in by_id and parent != span.span_id else b""].append(span)
    placed: set[bytes] = set()
    ordered: list[dict[str, Any]] = []
    for top in children[b""]:
        _walk(top, children, placed, ordered, summary)
    for span in outline:
        if span.span_id in cyclic:
            _walk(span, children, placed, ordered, summary)
    for row in ordered:
        if bytes.fromhex(row["id"]) in cyclic:
            row["note"] = "cycle in parents"
    return ordered


def in_cycles(outline: Sequence[SpanOutline]) -> set[bytes]:
    """Ids of the spans that are their own ancestors, without those that only hang below them."""
    parents = {span.span_id: span.parent_span_id for span in outline}
    cyclic: set[bytes] = set()
    seen: set[bytes] = set()
    for start in parents:
        path: dict[bytes, int] = {}
        at = start
        while at in parents and at not in seen:
            seen.add(at)
            path[at] = len(path)
            at = parents[at]
        if at in path:  # it closes here
            cyclic.update(span_id for span_id, place in path.items() if place >= path[at])
    return cyclic


def _walk(
    top: SpanOutline,
    children: Mapping[bytes, list[SpanOutline]],
    placed: set[bytes],
    ordered: list[dict[str, Any]],
    summary: TraceSummary,
) -> None:
    stack = [(top, 0, b"")]
    while stack:
        span, depth, parent = stack.pop()
        if span.span_id in placed:
            continue
        placed.add(span.span_id)
        ordered.append(_row(span, depth, parent, summary))
        stack.extend(
            (child, depth + 1, span.span_id) for child in reversed(children.get(span.span_id, []))
        )


def _row(span: SpanOutline, depth: int, parent: bytes, summary: TraceSummary) -> dict[str, Any]:
    counted = span.span_id not in summary.uncounted_span_ids
    row: dict[str, Any] = {
        "id": span.span_id.hex(),
        "parent": parent.hex() or None,
        "depth": depth,
        "name": span.name,
        "kind": span.kind,
        "status": span.status,
        "start_ms": (span.start_ns - summary.start_ns) / 1e6,
        "duration_ms": max(0, span.end_ns - span.start_ns) / 1e6 if span.end_ns else None,
        "cost": float(span.cost_usd) if span.cost_usd is not None and counted else None,
        "tokens": span.usage.total if span.usage else None,
        "model": span.model,
        "preview": (span.error_message or span.status_message)[:_MAX_PREVIEW],
        "findings": 0,
        "running": not span.end_ns and not is_cut_off(span, summary),
    }
    if span.is_infrastructure:
        row |= {"kind": "infra", "infrastructure": True}
    if span.is_estimated:
        row["tokens_estimated"] = True
    if span.is_cost_estimated:
        row["cost_estimated"] = True
    if span.first_token_ns > span.start_ns:
        row["first_token_ms"] = (span.first_token_ns - summary.start_ns) / 1e6
    if span.kind in {"tool", "agent"} and span.tool_name and span.tool_name not in span.name:
        row["note"] = span.tool_name
    return row


def notes(outline: Sequence[SpanOutline], summary: TraceSummary) -> list[str]:
    """What a reader should know before trusting the picture."""
    found = []
    if summary.span_count > len(outline):
        found.append(f"only {len(outline):,} of {summary.span_count:,} spans are shown")
    if summary.orphan_spans:
        found.append(f"{_spans(summary.orphan_spans, 'names')} a parent that has not arrived")
    cyclic = in_cycles(outline)
    if cyclic:
        found.append(f"cycle in parents: {_own_ancestors(outline, cyclic)}")
    if summary.is_rootless and (summary.orphan_spans or not cyclic):
        found.append("the root span has not arrived")
    if summary.unpriced_spans:
        found.append(_unpriced(summary))
    if summary.estimated_tokens:
        found.append(_estimated(summary))
    if outline and outline[0].start_ns > summary.start_ns + totals.CLOCK_AHEAD_SECONDS * 10**9:
        found.append("the sender's clock is ahead: the trace is listed by its arrival")
    if unended := sum(is_cut_off(span, summary) for span in outline):
        found.append(f"{_spans(unended, 'has')} no end")
    if summary.generation and summary.missing.get("gaps"):
        found.append(_gap(summary.missing["gaps"], summary.missing.get("gap_seconds", 0)))
    if summary.generation and summary.completeness < 100:
        found.append(f"completeness {summary.completeness} of 100")
    return found


def is_cut_off(span: SpanOutline | Span, summary: TraceSummary) -> bool:
    """Without an end although it failed or its trace has settled; any other may still run."""
    return not span.end_ns and (span.status == "error" or summary.generation > 0)


def _spans(count: int, verb: str) -> str:
    """`verb` as one span does it."""
    if count == 1:
        return f"1 span {verb}"
    return f"{count:,} spans {'have' if verb == 'has' else verb.removesuffix('s')}"


def _gap(count: int, seconds: int) -> str:
    where = "" if count == 1 else f", in {count:,} stretches"
    return f"nothing was traced for {duration(seconds * 10**9)} of the run{where}"


def _unpriced(summary: TraceSummary) -> str:
    calls = summary.unpriced_spans
    who = "1 model call has" if calls == 1 else f"{calls:,} model calls have"
    if summary.cost_usd is None:
        return f"{who} no known price: the cost is unknown"
    return f"{who} no known price: the cost is at least {money(summary.cost_usd)}"


def _estimated(summary: TraceSummary) -> str:
    total = summary.usage.total if summary.usage is not None else 0
    which = "the" if summary.estimated_tokens >= total else f"{summary.estimated_tokens:,} of the"
    return f"{which} tokens are estimated from texts: their calls reported none"


def _own_ancestors(outline: Sequence[SpanOutline], cyclic: set[bytes]) -> str:
    if len(cyclic) > 1:
        return f"{len(cyclic):,} spans are their own ancestors"
    name = next(span.name for span in outline if span.span_id in cyclic)
    return f"the span “{name[:80] or '(unnamed)'}” names itself as its parent"
