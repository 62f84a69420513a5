"""Raw span to `Span`: walks the convention tables, reads what won, keeps everything that was sent.

The hot path. No convention is named here; what differs between them is data in their modules.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import get_args
from uuid import UUID

from traces import pricing
from traces.semconv import events, first_token, flat_messages, lifting, prompt_hash, reading, usage
from traces.semconv.convention import Field, TextField
from traces.semconv.lifting import Lifted
from traces.semconv.registry import (
    CACHE_BESIDE_INPUT,
    CACHE_BESIDE_PROVIDERS,
    CONVENTIONS,
    KIND_FIELDS,
    NO_CONVENTION,
    RESOURCE_FIELDS,
    Dialect,
    dialect,
)
from traces.spans import Attributes, AttributeValue, Kind, RawSpan, Resource, Span, Status, Usage

_REMOTE_PARENT = 0x300  # OTLP span flags: "is remote" is known, and true
_ANCESTORS = "traceroot.span.ids_path"
_PLAIN = "opentelemetry"
_EVALUATION = "evaluation"
_NO_START_BUT_END = "the end: no start was sent"
_NO_START = "receipt: neither start nor end was sent"
_STATUS: dict[int, Status] = {0: "unset", 1: "ok", 2: "error"}
_TEXT_FIELDS: frozenset[Field] = frozenset(get_args(TextField))
_MAX_COST_USD = Decimal(10**8)
_CENT_MILLIONTHS = Decimal("0.000000001")

_LONGEST_SHARED = 1_024
"""Of a name or an id that stands in the resource once and is stored with each of its spans. The
whole of it stays in the resource.
"""
ResourceFacts = dict[Field, tuple[str, str]]
"""Field to its text and its source, of a resource."""


def spans(raws: Iterable[RawSpan], *, project_id: UUID, received_ns: int) -> list[Span]:
    """Spans of one request, in their order. A resource is read once for all its spans."""
    known: dict[int, ResourceFacts] = {}
    normalized = []
    for raw in raws:
        facts = known.get(id(raw.resource))
        if facts is None:
            facts = known[id(raw.resource)] = resource_facts(raw.resource)
        normalized.append(_span(raw, project_id, received_ns, facts))
    return normalized


def span(
    raw: RawSpan, *, project_id: UUID, received_ns: int, spoken: Dialect | None = None
) -> Span:
    """`spoken` is given where the scope and the name do not tell: of log records."""
    return _span(raw, project_id, received_ns, resource_facts(raw.resource), spoken)


def resource_facts(resource: Resource) -> ResourceFacts:
    facts: ResourceFacts = {}
    for field, names in RESOURCE_FIELDS:
        for name in names:
            value = resource.attributes.get(name)
            if value:
                text = reading.text(value)
                if len(text) > _LONGEST_SHARED:
                    text = text[: _LONGEST_SHARED - 1] + "…"
                facts.setdefault(field, (text, f"resource:{name}"))
                break
    return facts


def _span(
    raw: RawSpan,
    project_id: UUID,
    received_ns: int,
    facts: ResourceFacts,
    spoken: Dialect | None = None,
) -> Span:
    spoken = spoken or dialect(raw.scope.name, raw.name)
    lifted = lifting.lift(raw.attributes, spoken)
    attributes = {**raw.attributes, **lifted.held} if lifted.held else raw.attributes
    sources: dict[str, str] = {}
    kind = _kind(lifted, spoken, raw.name, sources)
    _lift_by_kind(lifted, kind, attributes)
    result = Span(
        project_id=project_id,
        trace_id=raw.trace_id,
        span_id=raw.span_id,
        parent_span_id=raw.parent_span_id,
        name=raw.name,
        kind=kind,
        start_ns=raw.start_ns or raw.end_ns or received_ns,
        end_ns=raw.end_ns,
        status=_STATUS.get(raw.status_code, "unset"),
        # A finished span stays over an unfinished copy of it that arrives later.
        version=received_ns if raw.end_ns else received_ns // 2,
        received_ns=received_ns,
        status_message=raw.status_message,
        is_local_root=_is_local_root(raw),
        otel_kind=raw.otel_kind,
        convention=_convention(lifted),
        sources=sources,
        attributes=attributes,
        events=raw.events,
        links=raw.links,
        resource_json=raw.resource.json,
        scope_json=raw.scope.json,
        trace_state=raw.trace_state,
        flags=raw.flags,
        dropped_attributes=raw.dropped_attributes,
        dropped_events=raw.dropped_events,
        dropped_links=raw.dropped_links,
        truncated=raw.cut,
    )
    if not raw.start_ns:
        sources["start_ns"] = _NO_START_BUT_END if raw.end_ns else _NO_START
    _fill_text(result, lifted, facts, sources)
    _fill_names(result, sources)
    _fill_lists(result, lifted, sources)
    _fill_content(result, lifted, sources)
    _fill_error(result, lifted, sources)
    _fill_numbers(result, lifted, sources)
    result.is_evaluation = lifted.is_evaluation or result.environment == _EVALUATION
    result.prompt_hash = prompt_hash.of(result)
    result.attributes = raw.attributes
    return result


def _kind(lifted: Lifted, spoken: Dialect, name: str, sources: dict[str, str]) -> Kind:
    if lifted.kind is not None:
        sources["kind"] = lifted.kind_source
        return lifted.kind
    if spoken.kinds:
        kind = spoken.kinds.get(name) or spoken.kinds.get(name.partition(" ")[0])
        if kind is not None:
            sources["kind"] = "name"
            return kind
    if lifted.implied_kind is not None:
        sources["kind"] = lifted.implied_source
        return lifted.implied_kind
    return "span"


def _lift_by_kind(lifted: Lifted, kind: Kind, attributes: Attributes) -> None:
    """Attributes whose meaning depends on what the span is."""
    for field, names in KIND_FIELDS[lifted.convention].get(kind, {}).items():
        if field not in lifted.names:
            found = next((name for name in names if attributes.get(name) not in (None, "")), None)
            if found is not None:
                lifted.names[field] = found


def _convention(lifted: Lifted) -> str:
    return _PLAIN if lifted.convention == NO_CONVENTION else CONVENTIONS[lifted.convention].name


def _is_local_root(raw: RawSpan) -> bool:
    if not raw.parent_span_id or raw.flags & _REMOTE_PARENT == _REMOTE_PARENT:
        return True
    return raw.attributes.get(_ANCESTORS) == []


def _fill_text(span: Span, lifted: Lifted, facts: ResourceFacts, sources: dict[str, str]) -> None:
    """Fields that are one attribute's text; the resource speaks where the span does not."""
    attributes, names = span.attributes, lifted.names
    for field, name in names.items():
        if field in _TEXT_FIELDS:
            setattr(span, field, reading.text(attributes[name]))
            sources[field] = name
    for field, (text, source) in facts.items():
        if field not in names:
            setattr(span, field, text)
            sources[field] = source
    if span.git_repo:
        span.git_repo = reading.without_secrets(span.git_repo)


def _fill_names(span: Span, sources: dict[str, str]) -> None:
    """Agents and tools that nobody named have the name of their span."""
    if span.kind == "agent" and not span.agent_name:
        span.agent_name, sources["agent_name"] = span.name.removeprefix("invoke_agent "), "name"
    elif span.kind == "tool" and not span.tool_name:
        span.tool_name, sources["tool_name"] = span.name.removeprefix("execute_tool "), "name"


def _fill_lists(span: Span, lifted: Lifted, sources: dict[str, str]) -> None:
    fields: tuple[Field, ...] = ("finish_reasons", "tags", "trace_tags")
    for field in fields:
        name = lifted.names.get(field)
        if name is not None:
            setattr(span, field, reading.words(span.attributes[name]))
            sources[field] = name
    if (name := lifted.names.get("comma_tags")) is not None and not span.tags:
        listed = (tag.strip() for tag in reading.text(span.attributes[name]).split(","))
        span.tags, sources["tags"] = tuple(tag for tag in listed if tag), name
    if not lifted.merged and not lifted.metadata and not lifted.trace_metadata:
        return
    maps: dict[str, dict[str, str]] = {"metadata": {}, "trace_metadata": {}}
    for _, field, name in sorted(lifted.merged):
        for key, text in reading.entries(span.attributes[name]).items():
            maps[field].setdefault(key, text)
        sources.setdefault(field, name)
    for field, entries in (
        ("metadata", lifted.metadata),
        ("trace_metadata", lifted.trace_metadata),
    ):
        for key, name in entries.items():
            maps[field].setdefault(key, reading.unquoted(reading.text(span.attributes[name])))
            sources.setdefault(field, name)
    span.metadata, span.trace_metadata = maps["metadata"], maps["trace_metadata"]


def _fill_content(span: Span, lifted: Lifted, sources: dict[str, str]) -> None:
    span.input, source = _content(span, lifted, "input")
    if source:
        sources["input"] = source
    span.output, source = _content(span, lifted, "output")
    if source:
        sources["output"] = source


def _content(span: Span, lifted: Lifted, side: str) -> tuple[str, str]:
    """One side's text and its source: an attribute verbatim, else flat messages, else events."""
    name = lifted.names.get("input" if side == "input" else "output")
    if name is not None:
        text = reading.text(span.attributes[name])
        return (text, name) if text not in reading.WITHHELD else ("", "")
    prefix = lifted.flat.get(side)
    if prefix is not None:
        messages = flat_messages.collect(span.attributes, prefix)
        if messages:
            return reading.as_json(messages), f"{prefix}*"
    if span.events:
        if span.kind == "tool":
            found = events.tool_text(span.events, "input" if side == "input" else "output")
            if found[0]:
                return found
        return events.messages(span.events, "input" if side == "input" else "output")
    return "", ""


def _fill_error(span: Span, lifted: Lifted, sources: dict[str, str]) -> None:
    """The last exception; else the error attributes; else, of a failed span, the status message."""
    if span.events and span.status != "ok":
        found = events.exception(span.events)
        if found is not None:
            span.error_type, span.error_message = found
            sources["error_type"] = sources["error_message"] = f"event:{events.EXCEPTION}"
    attributes = span.attributes
    for field in ("error_type", "error_message"):
        name = lifted.names.get("error_type" if field == "error_type" else "error_message")
        if name is not None and not getattr(span, field):
            setattr(span, field, reading.text(attributes[name]))
            sources[field] = name
    if span.status == "error" and not span.error_message and span.status_message:
        span.error_message = span.status_message
        sources["error_message"] = "status.message"


def _fill_numbers(span: Span, lifted: Lifted, sources: dict[str, str]) -> None:
    names, attributes = lifted.names, span.attributes
    if (name := names.get("git_source_line")) is not None:
        line = reading.count(attributes[name])
        if line is not None and line < 2**32:
            span.git_source_line, sources["git_source_line"] = line, name
    span.first_token_ns, source = first_token.of(span, names)
    if source:
        sources["first_token_ns"] = source
    if (name := names.get("reported_cost_usd")) is not None:
        cost = _cost(attributes[name])
        if cost is not None:
            span.reported_cost_usd, sources["reported_cost_usd"] = cost, name
    span.usage = _usage(lifted, attributes, sources)
    pricing.apply(span)
    if span.reported_cost_usd == 0 and span.usage is not None and span.computed_cost_usd:
        # Instrumentations write 0 for models that their price lists lack.
        span.reported_cost_usd = None
        del sources["reported_cost_usd"]


def _cost(value: AttributeValue) -> Decimal | None:
    """A number, or an object of numbers by what they are for: their `total`, else their sum."""
    if isinstance(value, dict) or (isinstance(value, str) and value[:1] == "{"):
        return _cost(reading.total(value))
    cost = reading.decimal(value)
    if cost is None or not 0 <= cost < _MAX_COST_USD:
        return None
    return cost.quantize(_CENT_MILLIONTHS)


_COUNTS: tuple[tuple[str, Field], ...] = (
    ("input", "input_tokens"),
    ("output", "output_tokens"),
    ("cache_read", "cache_read_tokens"),
    ("cache_write", "cache_write_tokens"),
    ("cache_write_5m", "cache_write_5m_tokens"),
    ("cache_write_1h", "cache_write_1h_tokens"),
    ("reasoning", "reasoning_tokens"),
    ("total", "total_tokens"),
    ("input_audio", "input_audio_tokens"),
    ("output_audio", "output_audio_tokens"),
)


def _usage(lifted: Lifted, attributes: Attributes, sources: dict[str, str]) -> Usage | None:
    """Single attributes first; a usage object counts only where neither input nor output is one."""
    names = lifted.names
    counts: dict[str, int] = {}
    for bucket, field in _COUNTS:
        name = names.get(field)
        if name is not None and (number := reading.count(attributes[name])) is not None:
            counts[bucket] = number
            sources[field] = name
    manual = names.get("usage")
    if manual is not None and "input" not in counts and "output" not in counts:
        reported = usage.from_object(attributes[manual])
        if reported is not None:
            sources["usage"] = manual
            return usage.disjoint(reported)
    if not counts:
        return None
    inside = not lifted.cache_beside_input and _cache_inside_input(names, attributes)
    return usage.disjoint(usage.counts(counts, cache_inside_input=inside))


def _cache_inside_input(names: dict[Field, str], attributes: Attributes) -> bool:
    name = names.get("input_tokens", "")
    if name in CACHE_BESIDE_INPUT:
        return False
    providers, marks = CACHE_BESIDE_PROVIDERS.get(name, ((), ()))
    provider = names.get("provider")
    if not providers or provider is None or any(mark in attributes for mark in marks):
        return True
    return not reading.text(attributes[provider]).lower().startswith(providers)
