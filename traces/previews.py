"""One line of what went in or came out, from whatever an emitter wrote (text, JSON, messages)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

_MAX_CHARS = 280
_MAX_CALLS = 10
_CALL_TYPES = {"tool_call", "tool_use", "function", "function_call"}
_CALL_HOLDERS = ("messages", "choices", "message", "parts", "content", "tool_calls", "output")
_TEXT_KEYS = (
    "text", "content", "message", "output", "answer", "result", "query", "question", "input",
)  # fmt: skip


def of(text: str, *, role: str) -> str:
    """At most 280 characters, white space folded. Of a message list the last text of `role`."""
    stripped = text.strip()
    if stripped[:1] in {"{", "[", '"'}:
        try:
            decoded = msgspec.json.decode(stripped)
            found = list(_texts(decoded, role, 0)) or _calls(decoded)
        except (msgspec.DecodeError, RecursionError):
            found = []  # cut off or not JSON after all: shown as it stands
        if found:
            stripped = found[-1]
    return _line(stripped)


def of_error(error_type: str, message: str) -> str:
    """`KeyError: 'JPY'`, as Python prints it, at most 280 characters; empty when nothing is known.

    Many emitters write the type into the message as well.
    """
    if not message.strip():
        return _line(error_type)
    is_named = not error_type or message.lstrip().startswith(error_type)
    return _line(message if is_named else f"{error_type}: {message}")


def _line(text: str) -> str:
    folded = " ".join(text[:4000].split())
    return folded if len(folded) <= _MAX_CHARS else folded[: _MAX_CHARS - 1] + "…"


def _texts(value: Any, role: str, depth: int) -> Iterator[str]:
    if depth > 6:
        return
    if isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, list):
        wanted = [
            item for item in value if not isinstance(item, dict) or item.get("role", role) == role
        ]
        for item in wanted or value:
            yield from _texts(item, role, depth + 1)
    elif isinstance(value, dict):
        yield from _of_object(value, role, depth)


def _of_object(value: dict[str, Any], role: str, depth: int) -> Iterator[str]:
    for key in ("messages", "parts", "choices"):
        if isinstance(value.get(key), list):
            yield from _texts(value[key], role, depth + 1)
            return
    for key in _TEXT_KEYS:
        if value.get(key):
            yield from _texts(value[key], role, depth + 1)
            return
    if len(value) == 1:
        yield from _texts(next(iter(value.values())), role, depth + 1)


def _calls(value: Any) -> list[str]:
    """What an assistant that says nothing does: the tools it calls, as one text, if any."""
    names: list[str] = []
    waiting = [value]
    while waiting and len(names) < _MAX_CALLS:
        one = waiting.pop(0)
        if isinstance(one, list):
            waiting = [*one, *waiting]
        elif isinstance(one, dict):
            function = one.get("function")
            called = function if isinstance(function, dict) else one
            if one.get("type") in _CALL_TYPES and isinstance(called.get("name"), str):
                names.append(called["name"])
            else:
                waiting = [*(one.get(key) for key in _CALL_HOLDERS if one.get(key)), *waiting]
    return [f"calls {', '.join(names)}"] if names else []
