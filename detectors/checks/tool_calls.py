"""The tool calls of a trace, whichever way they were recorded: as tool spans, or only as messages.

Frameworks without tool spans leave calls and results in the history that they send to the model,
which repeats in every later request; each call is taken once, where it first appears.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from detectors.checks.error_results import ErrorResult, find_error
from traces.spans import Span, SpanEvent

TOOL_KINDS = frozenset({"tool", "retriever"})
"""Columns of `spans` say of these kinds what may be wrong with them; see `CallFacts`."""
MESSAGE_CALL_LIMIT = 2_000
MESSAGE_CHARS = 4_000_000


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call counts as failed. `quote` stands verbatim in `field` of the call's span."""

    field: str
    quote: str
    error_type: str
    message: str
    origin: Literal["exception", "status", "result"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`span` is the tool's own span, or the model span whose messages report the call."""

    name: str
    call_id: str
    arguments: str
    result: str
    span: Span
    is_own_span: bool
    order: tuple[int, int]
    failure: Failure | None


def read_calls(spans: Sequence[Span]) -> list[ToolCall]:
    """In the order in which they happened."""
    calls = [
        _call_of_span(span, position)
        for position, span in enumerate(spans)
        if span.kind in TOOL_KINDS
    ]
    if not any(call.span.kind == "tool" for call in calls):
        calls.extend(_calls_of_messages(spans))
    return sorted(calls, key=lambda call: call.order)


def _call_of_span(span: Span, position: int) -> ToolCall:
    return ToolCall(
        name=span.tool_name or span.name,
        call_id=span.tool_call_id,
        arguments=span.input,
        result=span.output,
        span=span,
        is_own_span=True,
        order=(position, 0),
        failure=_failure_of_span(span),
    )


def _failure_of_span(span: Span) -> Failure | None:
    exception = next((event for event in reversed(span.events) if event.name == "exception"), None)
    result = find_error(span.output)
    if exception is not None and (span.status != "ok" or result is not None):
        failure = _failure_of_exception(exception, result)
        if failure is not None:
            return failure
    if span.status == "error":
        if result is not None:
            return Failure(
                "output",
                result.quote,
                result.error_type or span.error_type,
                result.message,
                "result",
            )
        message = span.error_message or span.status_message or span.error_type
        return Failure(
            "error", message[:600], span.error_type, message[:300] or "status error", "status"
        )
    if result is not None:
        return Failure("output", result.quote, result.error_type, result.message, "result")
    return None


def _failure_of_exception(event: SpanEvent, result: ErrorResult | None) -> Failure | None:
    """Quotes the exception; where its message is a program's whole output, names what ended it."""
    error_type = str(event.attributes.get("exception.type") or "")
    message = str(event.attributes.get("exception.message") or "").strip()
    quote = (message or error_type)[:600]
    if not quote:
        return None
    if "\n" in message:
        named = result if result and result.error_type else find_error(message)
        if named is not None and named.error_type:
            return Failure("event", quote, named.error_type, _joined(named), "exception")
    return Failure("event", quote, error_type, message[:300] or error_type, "exception")


def _joined(error: ErrorResult) -> str:
    if not error.error_type or error.message.startswith(error.error_type):
        return error.message
    return f"{error.error_type}: {error.message}"[:300]


def _calls_of_messages(spans: Sequence[Span]) -> Iterator[ToolCall]:
    seen: set[tuple[str, str, int]] = set()
    for position, span in enumerate(spans):
        if span.kind not in ("llm", "agent") or len(seen) > MESSAGE_CALL_LIMIT:
            continue
        for field, text in (("input", span.input), ("output", span.output)):
            for part, nth in _answered_parts(text):
                key = (part.call_id or part.name, part.result or "", nth)
                if key in seen:
                    continue
                seen.add(key)
                yield ToolCall(
                    name=part.name or "tool",
                    call_id=part.call_id,
                    arguments=part.arguments,
                    result=part.result or "",
                    span=span,
                    is_own_span=False,
                    order=(position, len(seen)),
                    failure=_failure_of_part(part, field, text),
                )


def _answered_parts(text: str) -> Iterator[tuple[_ToolPart, int]]:
    """Results joined with their calls; the number tells equal ones without an id apart."""
    asked: dict[str, _ToolPart] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for part in _tool_parts(text):
        if part.result is None:
            asked[part.call_id or part.name] = part
            continue
        call = asked.get(part.call_id or part.name)
        if call is not None:
            part = replace(part, name=call.name or part.name, arguments=call.arguments)
        key = (part.call_id or part.name, part.result or "")
        yield part, counts[key]
        counts[key] += 1


@dataclass(frozen=True, slots=True)
class _ToolPart:
    """A call (`result` None) or the result of a call, as one message states it."""

    name: str
    call_id: str
    arguments: str = ""
    result: str | None = None
    is_error: bool = False


def _failure_of_part(part: _ToolPart, field: str, text: str) -> Failure | None:
    result = part.result or ""
    found = find_error(result)
    if found is None and not part.is_error:
        return None
    quote = found.quote if found else result.strip()[:600]
    if quote not in text:
        quote = next((form for form in _escaped(quote) if form in text), "")
    message = found.message if found else result[:300]
    return Failure(field, quote, found.error_type if found else "", message, "result")


def _escaped(text: str) -> Iterator[str]:
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]


def _tool_parts(text: str) -> Iterator[_ToolPart]:
    """Tool calls and results in a list of messages, in any of the published message shapes."""
    if not text or text.lstrip()[:1] not in "[{" or len(text) > MESSAGE_CHARS or "tool" not in text:
        return
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        value = value.get("messages", [value])
    for message in value if isinstance(value, list) else ():
        if isinstance(message, Mapping):
            yield from _parts_of_message(message)


def _parts_of_message(message: Mapping[str, object]) -> Iterator[_ToolPart]:
    inner = message.get("message")
    if isinstance(inner, Mapping):  # OpenInference and some SDKs wrap each message
        message = inner
    role = message.get("role") or message.get("type")
    if role in ("tool", "function") and not isinstance(message.get("parts"), list):
        yield _ToolPart(
            name=_text(message.get("name")),
            call_id=_text(message.get("tool_call_id") or message.get("id")),
            result=_text(message.get("content")),
            is_error=message.get("is_error") is True or message.get("status") == "error",
        )
        return
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, Mapping):
            yield _call_part(call)
    for name in ("parts", "content"):
        parts = message.get(name)
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, Mapping):
                yield from _typed_part(part)


def _call_part(call: Mapping[str, object]) -> _ToolPart:
    wrapped = call.get("tool_call")
    call = wrapped if isinstance(wrapped, Mapping) else call
    function = call.get("function")
    inner = function if isinstance(function, Mapping) else call
    return _ToolPart(
        name=_text(inner.get("name")),
        call_id=_text(call.get("id")),
        arguments=_text(inner.get("arguments") or inner.get("args") or inner.get("input")),
    )


def _typed_part(part: Mapping[str, object]) -> Iterator[_ToolPart]:
    kind = part.get("type")
    if kind in ("tool_call", "tool_use"):
        yield _call_part(part)
    elif kind in ("tool_call_response", "tool_result", "tool_response"):
        content = part.get("response", part.get("result", part.get("content")))
        yield _ToolPart(
            name=_text(part.get("name")),
            call_id=_text(part.get("id") or part.get("tool_use_id") or part.get("tool_call_id")),
            result=_text(content),
            is_error=part.get("is_error") is True,
        )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(
        isinstance(part, Mapping) and "text" in part for part in value
    ):
        return "\n".join(str(part["text"]) for part in value)
    return json.dumps(value, ensure_ascii=False)
