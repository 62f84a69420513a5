"""The published shapes of traces and spans, from our summaries and spans.

Times are naive UTC ISO texts, as the published clients expect; `span_kind` keeps its old values.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse

from traces.api import costs
from traces.api.logs import log_item
from traces.api.values import jsonable
from traces.logs import Log
from traces.semconv import log_records, metadata, normalized
from traces.spans import Span, Usage
from traces.store.rows import TraceSummary

_PUBLISHED_KINDS = {
    "llm": "LLM",
    "embedding": "LLM",
    "agent": "AGENT",
    "tool": "TOOL",
    "evaluator": "EVALUATION",
    "task": "TASK",
    "scorer": "SCORER",
}


def naive_iso(ns: int) -> str:
    """Nanoseconds since the epoch as `2026-01-31T12:00:00.123456`."""
    seconds, rest = divmod(ns, 1_000_000_000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None, microsecond=rest // 1000)
    except (OverflowError, ValueError, OSError):  # a clock beyond the year 9999
        moment = datetime.max  # noqa: DTZ901 - naive on purpose, as all of these
    return moment.isoformat(timespec="microseconds")


def trace_url(summary: TraceSummary) -> str:
    path = reverse("traces:list", kwargs={"project_id": summary.project_id})
    return f"{settings.PUBLIC_URL}{path}?traceId={summary.hex_id}"


def list_item(summary: TraceSummary) -> dict[str, Any]:
    usage = summary.usage
    return {
        "trace_id": summary.hex_id,
        "project_id": str(summary.project_id),
        "name": summary.name,
        "trace_start_time": naive_iso(summary.start_ns),
        "user_id": summary.user_id or None,
        "session_id": summary.session_id or None,
        "span_count": summary.span_count,
        "duration_ms": summary.duration_ns / 1e6,
        "status": "error" if summary.status == "error" else "ok",
        "error_count": summary.error_count,
        "input": summary.input_preview or None,
        "output": summary.output_preview or None,
        "total_input_tokens": usage.input if usage else None,
        "total_output_tokens": usage.output if usage else None,
        "estimated_tokens": summary.estimated_tokens,
        "total_cost": money(summary.cost_usd),
        "metadata_map": dict(summary.metadata),
        "is_evaluation": summary.is_evaluation,
        "trace_url": trace_url(summary),
    }


def detail(
    summary: TraceSummary, spans: list[Span], groups: set[str], logs: Sequence[Log] = ()
) -> dict[str, Any]:
    """A trace with its spans; groups that were not asked for are null.

    `span_count` is the trace's; where it is more than the spans that follow, they are the first.
    """
    with_io = "io" in groups
    spans = _with_messages(spans, logs)
    root = _root(spans)
    input_text = root.input if root and root.input else summary.input_preview
    output_text = root.output if root and root.output else _output_of_others(root, summary)
    normal = jsonable(normalized.of_trace(summary, spans)) if "normalized" in groups else None
    why = costs.of_spans(spans) if "cost" in groups else {}
    return {
        "trace_id": summary.hex_id,
        "project_id": str(summary.project_id),
        "name": summary.name,
        "trace_start_time": naive_iso(summary.start_ns),
        "user_id": summary.user_id or None,
        "session_id": summary.session_id or None,
        "git_ref": summary.git_ref or None,
        "git_repo": summary.git_repo or None,
        "input": (input_text or None) if with_io else None,
        "output": (output_text or None) if with_io else None,
        "metadata": _trace_metadata(summary, root, spans) if "metadata" in groups else None,
        "span_count": max(summary.span_count, len(spans)),
        "is_evaluation": summary.is_evaluation,
        "estimated_tokens": summary.estimated_tokens,
        "spans": [
            {**span_item(span, groups), **({"cost_explanation": why[span.span_id]} if why else {})}
            for span in spans
        ],
        **({"logs": [log_item(log, groups) for log in logs]} if with_io else {}),
        "trace_url": trace_url(summary),
        **({} if normal is None else {"normalized": normal}),
    }


def _with_messages(spans: list[Span], logs: Sequence[Log]) -> list[Span]:
    """The spans, each with what its own log records say of it."""
    by_span: dict[bytes, list[Log]] = defaultdict(list)
    for log in logs:
        by_span[log.span_id].append(log)
    if not by_span:
        return spans
    return [log_records.completed(span, by_span.get(span.span_id, ())) for span in spans]


def _root(spans: list[Span]) -> Span | None:
    """The true root, else the first local one, as the summary chooses it."""
    return (
        next((span for span in spans if not span.parent_span_id), None)
        or next((span for span in spans if span.is_local_root), None)
        or (spans[0] if spans else None)
    )


def _output_of_others(root: Span | None, summary: TraceSummary) -> str:
    """What a trace without output of its own said: nothing, when its root failed."""
    return "" if root is not None and root.status == "error" else summary.output_preview


def _trace_metadata(summary: TraceSummary, root: Span | None, spans: list[Span]) -> str | None:
    found = metadata.of_trace(summary.metadata, root, spans)
    return as_json(found) if found else None


def span_item(span: Span, groups: set[str]) -> dict[str, Any]:
    usage = span.usage
    with_io, with_metadata = "io" in groups, "metadata" in groups
    return {
        "span_id": span.span_id.hex(),
        "trace_id": span.trace_id.hex(),
        "parent_span_id": span.parent_span_id.hex() or None,
        "name": span.name,
        "span_kind": _PUBLISHED_KINDS.get(span.kind, "SPAN"),
        "span_start_time": naive_iso(span.start_ns),
        "span_end_time": naive_iso(span.end_ns) if span.end_ns else None,
        "status": "ERROR" if span.status == "error" else "OK",
        "status_message": span.status_message or span.error_message or None,
        "model_name": span.model or None,
        "cost": money(span.cost_usd),
        "input_tokens": usage.input if usage else None,
        "output_tokens": usage.output if usage else None,
        "total_tokens": usage.total if usage else None,
        "usage_details": usage_details(usage),
        "usage_estimated_by": span.estimated_by or None,
        "cost_details": cost_details(span),
        "git_source_file": span.git_source_file or None,
        "git_source_line": span.git_source_line or None,
        "git_source_function": span.git_source_function or None,
        "input": (span.input or None) if with_io else None,
        "output": (span.output or None) if with_io else None,
        "metadata": span_metadata(span) if with_metadata else None,
        **({"normalized": jsonable(normalized.of(span))} if "normalized" in groups else {}),
    }


def span_metadata(span: Span) -> str | None:
    """Metadata and every attribute that no other field shows, as JSON text."""
    shown = set(span.sources.values())
    rest = {key: jsonable(value) for key, value in span.attributes.items() if key not in shown}
    merged = {**rest, **metadata.of_span(span)}
    if span.tags:
        merged["tags"] = list(span.tags)
    return as_json(merged) if merged else None


def usage_details(usage: Usage | None) -> dict[str, float]:
    if usage is None:
        return {}
    return {
        "input": usage.uncached_input,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write_5m + usage.cache_write_1h,
        "output": usage.output,
        "reasoning": usage.reasoning,
        "total": usage.total,
        **{name: value for name, value in usage.other.items() if math.isfinite(value)},
    }


def cost_details(span: Span) -> dict[str, Any]:
    if span.cost_usd is None:
        return {}
    source = "reported" if span.cost_usd is span.reported_cost_usd else "computed"
    return {"total": money(span.cost_usd), "source": source, "price_version": span.price_version}


def money(value: Decimal | None) -> float | None:
    """US dollars as a JSON number."""
    return float(value) if value is not None else None


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
