"""A span as the fields that every product names alike, for readers who know nothing of ours.

Names and meanings are in `docs/conventions.md`. Fields that a span has not are left out. Numbers
are numbers, ids hexadecimal, times ISO 8601 in UTC, structured values JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from traces.semconv import chat_json, documents, messages, params, places, reading
from traces.semconv.registry import CONVENTIONS
from traces.spans import Span, Usage
from traces.store.rows import TraceSummary

_SAME = (
    "kind", "name", "status", "status_message", "error_type", "error_message", "operation",
    "model", "request_model", "response_model", "response_id", "provider", "tool_name",
    "tool_call_id", "agent_name", "agent_id", "session_id", "user_id", "environment", "release",
    "prompt_name", "prompt_version", "prompt_hash", "git_repo", "git_ref", "git_source_file",
    "git_source_function", "input", "output",
)  # fmt: skip
_OF_TRACE = (
    "name", "session_id", "user_id", "environment", "release", "git_repo", "git_ref",
)  # fmt: skip
# The severities of OpenTelemetry's logs, by the lowest number of each.
_LEVELS = ((21, "fatal"), (17, "error"), (13, "warn"), (9, "info"), (5, "debug"), (0, "trace"))
_USAGE_PREFIXES = tuple(p for convention in CONVENTIONS for p in convention.reads.usage_prefixes)
_OF_TOKENS = frozenset(
    name
    for convention in CONVENTIONS
    for field, names in convention.fields.items()
    if field.endswith("_tokens")
    for name in names
)
_TALKING_KINDS = frozenset({"llm", "agent"})


def of(span: Span) -> dict[str, Any]:
    """Everything that the span says, by field name; no estimate and nothing made of one."""
    usage = None if span.estimated_by else span.usage
    cost_usd = span.reported_cost_usd if span.estimated_by else span.cost_usd
    found: dict[str, Any] = {name: getattr(span, name) for name in _SAME}
    found |= {
        "git_source_line": span.git_source_line or None,
        "parent_span_id": span.parent_span_id.hex(),
        "start_time": moment(span.start_ns),
        "end_time": moment(span.end_ns),
        "first_token_time": moment(span.first_token_ns),
        "system": span.provider,
        "level": _level(span),
        "finish_reasons": list(span.finish_reasons),
        "tags": list(dict.fromkeys((*span.tags, *span.trace_tags))),
        "metadata": {**span.trace_metadata, **span.metadata},
        "version": places.first_text(span, "version"),
        "user_email": _named(span, "user_email"),
        "customer_id": _named(span, "customer_id"),
        "truncated": dict(span.truncated),
        "params": params.of(span),
        "retrieval_contexts": documents.of(span),
        "cost_total": None if cost_usd is None else float(cost_usd),
        **_content(span),
        **(_tokens(usage) if usage is not None else _total_alone(span)),
    }
    if counted := _other_counts(span):
        found["usage"] = counted
    kept = {name: value for name, value in found.items() if value not in (None, "", [], {})}
    if messages.has_empty_text(span):  # its tool calls are in the messages
        kept["output"] = ""
    return kept


def of_trace(summary: TraceSummary, spans: Sequence[Span]) -> dict[str, Any]:
    """`span_count`, and under `trace` what belongs to the whole of it."""
    root = _root(spans)
    found: dict[str, Any] = {name: getattr(summary, name) for name in _OF_TRACE}
    found |= {
        "input": (root.input if root else "") or summary.input_preview,
        "output": (root.output if root else "") or summary.output_preview,
        "tags": list(summary.tags),
        "metadata": dict(summary.metadata),
        "version": _first(spans, "version"),
        "public": _flag(_first(spans, "public")),
        "source": _first(spans, "source"),
    }
    kept = {name: value for name, value in found.items() if value not in (None, "", [], {})}
    return {"span_count": max(summary.span_count, len(spans)), "trace": kept}


def moment(ns: int) -> str:
    """ISO 8601 with a Z, as exact as the clock was; nothing for no time."""
    if not ns:
        return ""
    seconds, rest = divmod(ns, 10**9)
    try:
        whole = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()
    except (OverflowError, ValueError, OSError):  # a clock beyond the year 9999
        return ""
    if not rest:
        return f"{whole}Z"
    return f"{whole}.{rest // 1000:06d}Z" if rest % 1000 == 0 else f"{whole}.{rest:09d}Z"


def _content(span: Span) -> dict[str, Any]:
    sent = messages.sent(span)
    shown = messages.with_text(span, sent) if span.kind in _TALKING_KINDS else sent
    instructions = chat_json.text(sent.instructions) or "\n".join(
        message.text for message in sent.input if message.role == "system"
    )
    found: dict[str, Any] = {
        "input_messages": chat_json.messages(shown.input),
        "output_messages": chat_json.messages(shown.output),
        "system_instructions": instructions,
        "tool_definitions": [_definition(tool.definition) for tool in sent.tool_definitions],
    }
    if span.kind == "tool":
        found["tool_arguments"] = messages.tool_text(span, "input")
        found["tool_result"] = messages.tool_text(span, "output")
    return found


def _definition(text: str) -> Any:
    parsed = reading.parsed_json(text)
    return text if parsed is None else parsed


def _tokens(usage: Usage) -> dict[str, Any]:
    """Gross input, its parts, and everything else that was counted."""
    writes = usage.cache_write_5m + usage.cache_write_1h
    return {
        "input_tokens": usage.input,
        "uncached_input_tokens": usage.uncached_input,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": writes,
        "cache_write_5m_tokens": usage.cache_write_5m,
        "cache_write_1h_tokens": usage.cache_write_1h,
        "output_tokens": usage.output,
        "reasoning_tokens": usage.reasoning,
        "total_tokens": usage.total,
    }


def _total_alone(span: Span) -> dict[str, Any]:
    """A total that was counted without saying of what: it fills no bucket."""
    name = span.sources.get("total_tokens", "")
    return {"total_tokens": reading.count(span.attributes.get(name))} if name else {}


def _other_counts(span: Span) -> dict[str, float | int]:
    """What was counted and is no text: audio, images, requests."""
    stored = dict(span.usage.other) if span.usage is not None else {}
    for name, value in span.attributes.items():
        if name.startswith(_USAGE_PREFIXES) and name not in _OF_TOKENS:
            number = reading.decimal(value)
            if number is not None:
                key = next(name.removeprefix(p) for p in _USAGE_PREFIXES if name.startswith(p))
                stored.setdefault(key, float(number))
    return {name: count for name, raw in stored.items() if (count := _number(raw)) is not None}


def _number(count: float) -> float | int | None:
    if not math.isfinite(count):
        return None
    return int(count) if count == int(count) else count


def _level(span: Span) -> str:
    """As it was said (a word, or a number of OpenTelemetry's scale), else of failed spans ERROR."""
    for _, value in places.of(span, "level"):
        number = reading.count(value)
        if number is None:
            return reading.text(value)
        return next(name for least, name in _LEVELS if number >= least)
    return "ERROR" if span.status == "error" else ""


def _named(span: Span, name: Any) -> str:
    """An attribute of its own, else an entry of the metadata under this name."""
    return (
        places.first_text(span, name)
        or span.metadata.get(name, "")
        or span.trace_metadata.get(name, "")
    )


def _first(spans: Iterable[Span], name: Any) -> str:
    return next((text for span in spans if (text := places.first_text(span, name))), "")


def _flag(text: str) -> bool | None:
    return json.loads(text) if text in ("true", "false") else None


def _root(spans: Sequence[Span]) -> Span | None:
    """The true root, else the first local one, as the summary chooses it."""
    return (
        next((span for span in spans if not span.parent_span_id), None)
        or next((span for span in spans if span.is_local_root), None)
        or (spans[0] if spans else None)
    )
