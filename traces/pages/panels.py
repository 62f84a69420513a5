"""The panel of one span: messages, raw input and output, attributes, events, and their sources."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from traces.logs import Log
from traces.otlp import json_values
from traces.pricing import explanation
from traces.semconv import log_records, messages, reading
from traces.spans import Span, SpanEvent

TABS = ("messages", "raw", "attributes", "events", "logs")
_TITLES = {
    "messages": "Messages",
    "raw": "Raw",
    "attributes": "Attributes",
    "events": "Events",
    "logs": "Logs",
}
# What one panel may hold, so that a page stays a page whatever was sent.
_MAX_SHOWN_CHARS = 200_000
_MAX_VALUE_CHARS = 20_000
_MAX_ATTRIBUTES = 1_000
_MAX_EVENTS = 200
_MAX_LOGS = 200
_MAX_MESSAGES = 500
_MAX_EXCEPTIONS = 20


def context(span: Span, wanted_tab: str, logs: Sequence[Log] = ()) -> dict[str, Any]:
    """Everything the panel's template shows; `logs` are the span's own."""
    span = log_records.completed(span, logs)
    conversation = messages.of(span)
    events = [_event(event, span.start_ns) for event in span.events[:_MAX_EVENTS]]
    attributes = sorted(span.attributes.items(), key=lambda pair: pair[0])
    counts = {
        "messages": len(conversation.input) + len(conversation.output),
        "raw": None,
        "attributes": len(span.attributes),
        "events": len(span.events),
        "logs": len(logs),
    }
    tabs = [name for name in TABS if name != "logs" or logs]
    tab = wanted_tab if wanted_tab in tabs else _first_tab(span, counts)
    return {
        "span": span,
        "tab": tab,
        "tabs": [(name, _TITLES[name], counts[name], name == tab) for name in tabs],
        # Of a long conversation its end: what led to this call.
        "messages_in": [_message(message) for message in conversation.input[-_MAX_MESSAGES:]],
        "messages_out": [_message(message) for message in conversation.output[:_MAX_MESSAGES]],
        "tool_definitions": conversation.tool_definitions,
        "tool_call": _tool_call(span),
        "raw_input": _cut(span.input),
        "raw_output": _cut(span.output),
        "attributes": [
            (key, _shown(value), _length_before(span, key))
            for key, value in attributes[:_MAX_ATTRIBUTES]
        ],
        "left_out": {
            "messages": max(0, len(conversation.input) - _MAX_MESSAGES)
            + max(0, len(conversation.output) - _MAX_MESSAGES),
            "attributes": max(0, len(attributes) - _MAX_ATTRIBUTES),
            "events": max(0, len(span.events) - _MAX_EVENTS),
            "logs": max(0, len(logs) - _MAX_LOGS),
        },
        "resource": _pairs(span.resource_json),
        "scope": span.scope_json,
        "events": events,
        "logs": [_log(log, span.start_ns) for log in logs[:_MAX_LOGS]],
        "exceptions": _distinct_exceptions(span.events),
        "sources": sorted(span.sources.items()),
        "cuts": list(span.truncated.items()),
        "cost": explanation.of(span),
        "facts": _facts(span),
    }


def _length_before(span: Span, key: str) -> int:
    """Of an attribute that was cut when it arrived, also where it is the span's input or output."""
    held = (side for side in ("input", "output") if span.sources.get(side) == key)
    places = (f"attributes.{key}", *held)
    return next((span.truncated[place] for place in places if place in span.truncated), 0)


def _first_tab(span: Span, counts: Mapping[str, int | None]) -> str:
    if span.status == "error" and counts["events"] and not counts["messages"]:
        return "events"
    return "messages" if counts["messages"] or span.kind == "tool" else "attributes"


def _facts(span: Span) -> list[tuple[str, str]]:
    facts = [
        ("Model", span.model),
        ("Agent", span.agent_name),
        ("Tool", span.tool_name),
        ("Provider", span.provider),
        ("Finish", ", ".join(span.finish_reasons)),
        ("Source", _source(span)),
        ("Convention", span.convention),
    ]
    return [(name, value) for name, value in facts if value]


def _source(span: Span) -> str:
    if not span.git_source_file:
        return ""
    line = f":{span.git_source_line}" if span.git_source_line else ""
    return f"{span.git_source_file}{line}"


def _tool_call(span: Span) -> dict[str, Any] | None:
    if span.kind != "tool":
        return None
    failed = span.status == "error"
    return {
        "name": span.tool_name or span.name,
        "arguments": _cut(span.input),
        "result": _cut(span.output) or (span.error_message or None),
        "verdict": "error" if failed else "ok",
        "status_text": span.error_type or ("Error" if failed else ""),
        "id": span.tool_call_id,
    }


def _message(message: messages.Message) -> dict[str, Any]:
    parts = [part for one in message.parts if (part := _part(one))]
    note = "called a tool" if any(part["type"] == "toolcall" for part in parts) else message.name
    return {"role": message.role, "note": note, "parts": parts}


def _part(part: messages.Part) -> dict[str, Any] | None:
    if part.type == "tool_call":
        call = {
            "name": part.tool_name,
            "arguments": _cut(part.arguments),
            "result": None,
            "id": part.tool_call_id,
        }
        return {"type": "toolcall", "call": call}
    if part.type == "tool_result":
        return {"type": "json", "text": _cut(part.result)}
    if part.type == "media":
        shown = part.uri if part.uri.startswith("data:image/") else part.uri or part.mime_type
        return {"type": "json", "text": json.dumps(shown)}
    if part.type == "reasoning":
        return {"type": "reasoning", "text": _cut(part.text)}
    return {"type": "text", "text": _cut(part.text)} if part.text else None


def _event(event: SpanEvent, start_ns: int) -> dict[str, Any]:
    return {
        "name": event.name,
        "after_ns": max(0, event.time_ns - start_ns),
        "exception_type": str(event.attributes.get("exception.type") or ""),
        "exception_message": _cut(str(event.attributes.get("exception.message") or "")),
        "stacktrace": _cut(str(event.attributes.get("exception.stacktrace") or "")),
        "attributes": [
            (key, _shown(value))
            for key, value in event.attributes.items()
            if not key.startswith("exception.")
        ],
    }


def _log(log: Log, start_ns: int) -> dict[str, Any]:
    body = "" if log.body is None else _shown(log.body)
    return {
        "name": log.event_name or log_records.level_of(log) or "log record",
        "level": log_records.level_of(log) if log.event_name else "",
        "after_ns": max(0, log.at_ns - start_ns),
        "body": body,
        "is_structured": not isinstance(log.body, str) or reading.looks_like_json(log.body),
        "attributes": [
            (key, _shown(value)) for key, value in list(log.attributes.items())[:_MAX_ATTRIBUTES]
        ],
    }


def _distinct_exceptions(events: Sequence[SpanEvent]) -> list[tuple[str, str, str]]:
    """Type, message and stack of each exception once: SDKs record the same one on its way up, with
    a shorter stack each time. The longest says most.
    """
    stacks: dict[tuple[str, str], str] = {}
    for event in events:
        if event.name == "exception":
            kind, message, stack = (
                str(event.attributes.get(f"exception.{part}") or "")
                for part in ("type", "message", "stacktrace")
            )
            stacks[kind, message] = max(stacks.get((kind, message), ""), stack, key=len)
    found = [(kind, _cut(message), stack) for (kind, message), stack in stacks.items()]
    return found[:_MAX_EXCEPTIONS]


def _pairs(resource_json: str) -> list[tuple[str, str]]:
    attributes = json_values.values_from_json(resource_json)
    return [(key, _shown(value)) for key, value in list(attributes.items())[:_MAX_ATTRIBUTES]]


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return _cut(value, _MAX_VALUE_CHARS)
    if isinstance(value, bytes):
        return f"{len(value)} bytes: {value[:64].hex()}{'…' if len(value) > 64 else ''}"
    text = json.dumps(value, ensure_ascii=False, default=lambda other: other.hex())
    return _cut(text, _MAX_VALUE_CHARS)


def _cut(text: str, limit: int = _MAX_SHOWN_CHARS) -> str:
    """A value as the page takes it; what is longer says how long it is and where all of it is."""
    if len(text) <= limit:
        return text
    note = f"{len(text):,} characters in all; the export of this trace has the rest"
    return f"{text[:limit]}\n… {note}"
