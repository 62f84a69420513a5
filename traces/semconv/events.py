"""What a span's events say: its exception, its first token, and messages that travel as events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from traces.semconv import reading
from traces.spans import SpanEvent

EXCEPTION = "exception"
_FIRST_TOKEN = frozenset(
    {
        "First Token Stream Event",
        "gen_ai.first_token",
        "first_token",
        "llm.content.first_token",
        "ai.stream.firstChunk",
    }
)
_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE = "gen_ai.choice"
_WHOLE: dict[tuple[str, str], tuple[str, ...]] = {
    ("gen_ai.content.prompt", "input"): ("gen_ai.prompt",),
    ("gen_ai.content.completion", "output"): ("gen_ai.completion",),
    ("gen_ai.client.inference.operation.details", "input"): ("gen_ai.input.messages",),
    ("gen_ai.client.inference.operation.details", "output"): ("gen_ai.output.messages",),
}
SINGLE_MESSAGES = frozenset({*_ROLES, _CHOICE})
WHOLE_CONVERSATIONS = frozenset(name for name, _ in _WHOLE)


def exception(events: Sequence[SpanEvent]) -> tuple[str, str] | None:
    """Type and message of the last exception. (SDKs often record the same one twice.)"""
    for event in reversed(events):
        if event.name == EXCEPTION:
            kind = reading.text(event.attributes.get("exception.type") or "")
            message = reading.text(event.attributes.get("exception.message") or "")
            if kind or message:
                return kind, message
    return None


def first_token_ns(events: Sequence[SpanEvent]) -> int:
    return next((event.time_ns for event in events if event.name in _FIRST_TOKEN), 0)


def tool_text(events: Sequence[SpanEvent], side: Literal["input", "output"]) -> tuple[str, str]:
    """A tool's arguments or result, where they travel as a message, and the source."""
    wanted = "gen_ai.tool.message" if side == "input" else _CHOICE
    for event in events:
        if event.name == wanted:
            held = event.attributes.get("content") or event.attributes.get("message")
            content = _structured(held)
            if isinstance(content, list) and content and all(_is_text(item) for item in content):
                content = "\n".join(item["text"] for item in content)
            if content:
                return reading.text(content), f"event:{event.name}"
    return "", ""


def _is_text(item: Any) -> bool:
    return isinstance(item, dict) and item.keys() == {"text"} and isinstance(item["text"], str)


def messages(events: Sequence[SpanEvent], side: Literal["input", "output"]) -> tuple[str, str]:
    """The text of the messages that events carry, and its source; empty when they carry none."""
    listed: list[dict[str, Any]] = []
    source = ""
    for event in events:
        for name in _WHOLE.get((event.name, side), ()):
            content = event.attributes.get(name)
            if content:
                return reading.text(content), f"event:{event.name}"
        message = _message(event, side)
        if message is not None:
            listed.append(message)
            source = source or f"event:{event.name}"
    return (reading.as_json(listed), source) if listed else ("", "")


def _message(event: SpanEvent, side: str) -> dict[str, Any] | None:
    if side == "output":
        if event.name != _CHOICE:
            return None
        choice = {key: _structured(value) for key, value in event.attributes.items()}
        message = choice.pop("message", None)
        if isinstance(message, dict):
            return {"role": "assistant", **message}
        if message is not None:
            choice["content"] = message
        return {"role": "assistant", **choice}
    role = _ROLES.get(event.name)
    if role is None:
        return None
    attributes = event.attributes.items()
    return {"role": role, **{key: _structured(value) for key, value in attributes}}


def _structured(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        parsed = reading.parsed_json(value)
        return value if parsed is None else parsed
    return value
