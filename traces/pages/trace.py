"""The trace page: header, tree rows as JSON, the panel of one span."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponseBase, JsonResponse
from django.shortcuts import render

from accounts.access import ProjectRequest, project_view
from traces.pages import panels, trees
from traces.pages.failures import store_page
from traces.spans import Span
from traces.store.reader import SpanReader
from traces.store.rows import SpanOutline, TraceSummary

_COUNTS = ("calls", "input", "output", "unpriced", "estimated")


@project_view("traces.read")
@store_page
def trace(request: ProjectRequest, project_id: UUID, trace_id: bytes) -> HttpResponseBase:
    reader = SpanReader(project_id)
    summary = _summary(reader, trace_id)
    outline = reader.outline(trace_id)
    asked = request.GET.get("span", "").lower()
    selected = _selected(asked, outline)
    span = reader.span(trace_id, selected.span_id) if selected else None
    if asked and (selected is None or selected.span_id.hex() != asked):
        messages.warning(request, "The span that this address names is not in the trace.")
    context = {
        "nav": "traces",
        "trace": summary,
        "rows": trees.rows(outline, summary),
        "tree_notes": trees.notes(outline, summary),
        **_facts(outline, summary),
        "span_id": selected.span_id.hex() if selected else "",
        "tab": request.GET.get("tab", ""),
        **(_panel(request, reader, span, summary) if span else {"span": None}),
    }
    return render(request, "traces/trace.html", context)


@project_view("traces.read")
@store_page
def header(request: ProjectRequest, project_id: UUID, trace_id: bytes) -> HttpResponseBase:
    """Name, start, facts and notes of the trace, fetched again while it grows."""
    reader = SpanReader(project_id)
    summary = _summary(reader, trace_id)
    outline = reader.outline(trace_id)
    context = {
        "trace": summary,
        "tree_notes": trees.notes(outline, summary),
        **_facts(outline, summary),
    }
    return render(request, "traces/facts_live.html", context)


@project_view("traces.read")
@store_page
def tree(request: ProjectRequest, project_id: UUID, trace_id: bytes) -> HttpResponseBase:
    """The rows of `<span-tree>`, in pre-order."""
    reader = SpanReader(project_id)
    summary = _summary(reader, trace_id)
    return JsonResponse({"rows": trees.rows(reader.outline(trace_id), summary)})


@project_view("traces.read")
@store_page
def span(
    request: ProjectRequest, project_id: UUID, trace_id: bytes, span_id: bytes
) -> HttpResponseBase:
    """The panel of one span."""
    reader = SpanReader(project_id)
    found = reader.span(trace_id, span_id)
    if found is None:
        raise Http404("There is no such span in this trace.")
    summary = None if found.end_ns else reader.trace(trace_id)
    return render(request, "traces/span_panel.html", _panel(request, reader, found, summary))


def _panel(
    request: ProjectRequest, reader: SpanReader, span: Span, summary: TraceSummary | None
) -> dict[str, Any]:
    logs = reader.span_logs(span.trace_id, span.span_id)
    return {
        **panels.context(span, request.GET.get("tab", ""), logs),
        "is_cut_off": summary is not None and trees.is_cut_off(span, summary),
    }


def _summary(reader: SpanReader, trace_id: bytes) -> TraceSummary:
    summary = reader.trace(trace_id)
    if summary is None:
        raise Http404("There is no such trace in this project.")
    return summary


def _facts(outline: list[SpanOutline], summary: TraceSummary) -> dict[str, Any]:
    """What the facts need beside the summary. Pairs, since a template takes a sender's key `items`
    for the method.
    """
    return {
        "cost_lines": _cost_lines(outline, summary),
        "metadata": list(summary.metadata.items()),
        "has_end": any(span.end_ns for span in outline),
    }


def _selected(wanted: str, outline: list[SpanOutline]) -> SpanOutline | None:
    """The span of the URL, else the deepest failure (the last to start), else the root."""
    by_id = {span.span_id.hex(): span for span in outline}
    if wanted in by_id:
        return by_id[wanted]
    failed = [span for span in outline if span.status == "error"]
    if failed:
        parents = {span.parent_span_id for span in failed}
        return next((s for s in reversed(failed) if s.span_id not in parents), failed[-1])
    return next((span for span in outline if span.is_local_root), outline[0] if outline else None)


def _cost_lines(outline: list[SpanOutline], summary: TraceSummary) -> list[dict[str, Any]]:
    """For the “why this cost” popover: one line a model, of the spans that are counted."""
    lines: dict[str, dict[str, Any]] = {}
    for one in outline:
        if one.span_id in summary.uncounted_span_ids:
            continue
        if one.usage is None and one.cost_usd is None:
            continue
        name = one.model or one.name
        line = lines.setdefault(
            name,
            {
                "model": name,
                "model_known": bool(one.model),
                "cost": None,
                **dict.fromkeys(_COUNTS, 0),
            },
        )
        line["calls"] += 1
        if one.usage:
            line["input"] += one.usage.input
            line["output"] += one.usage.output
            line["estimated"] += one.is_estimated
        if one.cost_usd is None:
            line["unpriced"] += 1
        else:
            line["cost"] = (line["cost"] or 0) + one.cost_usd
    return sorted(lines.values(), key=lambda line: line["cost"] or 0, reverse=True)
