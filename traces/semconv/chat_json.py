"""Messages as JSON in the shape of chat completions, the one that most readers know.

`{"role", "content", "name"?, "tool_calls"?, "tool_call_id"?, "reasoning"?, "finish_reason"?}`.
Content that came as text stays text, content that came as a list of blocks stays a list.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from traces.semconv import reading
from traces.semconv.message_shapes import Message, Part

_MEDIA = {"image": "image_url", "audio": "audio_url", "video": "video_url"}


def messages(found: Iterable[Message]) -> list[dict[str, Any]]:
    """A message that answers several tools becomes one message for each."""
    return [item for message in found for item in _split(message)]


def text(parts: Iterable[Part]) -> str:
    """What parts say, media left out."""
    return "\n".join(part.text for part in parts if part.type == "text")


def _split(message: Message) -> list[dict[str, Any]]:
    results = [part for part in message.parts if part.type == "tool_result"]
    rest = tuple(part for part in message.parts if part.type != "tool_result")
    found = [_result(part, message) for part in results]
    return [*found, _message(message, rest)] if rest or not found else found


def _result(part: Part, message: Message) -> dict[str, Any]:
    item = {"role": "tool", "content": part.result}
    if part.tool_call_id:
        item["tool_call_id"] = part.tool_call_id
    if name := part.tool_name or message.name:
        item["name"] = name
    return item


def _message(message: Message, parts: tuple[Part, ...]) -> dict[str, Any]:
    calls = [_call(part) for part in parts if part.type == "tool_call"]
    reasoning = "\n".join(part.text for part in parts if part.type == "reasoning")
    item: dict[str, Any] = {"role": message.role, "content": _content(message, parts)}
    if message.name:
        item["name"] = message.name
    if reasoning:
        item["reasoning"] = reasoning
    if calls:
        item["tool_calls"] = calls
    if message.finish_reason:
        item["finish_reason"] = message.finish_reason
    return item


def _content(message: Message, parts: tuple[Part, ...]) -> Any:
    shown = [part for part in parts if part.type in ("text", "media")]
    if not shown:
        return None
    if message.is_listed or any(part.type == "media" for part in shown):
        return [_block(part) for part in shown]
    return text(shown)


def _block(part: Part) -> dict[str, Any]:
    if part.type == "text":
        return {"type": "text", "text": part.text}
    kind = _MEDIA.get(_modality(part), "file")
    media = {"url": part.uri, **({"mime_type": part.mime_type} if part.mime_type else {})}
    return {"type": kind, kind: media}


def _modality(part: Part) -> str:
    of_type = part.mime_type.partition("/")[0]
    if of_type in _MEDIA:
        return of_type
    return next((kind for kind in _MEDIA if kind in part.text.lower()), "")


def _call(part: Part) -> dict[str, Any]:
    function = {"name": part.tool_name, "arguments": _compact(part.arguments)}
    identity = {"id": part.tool_call_id} if part.tool_call_id else {}
    return {**identity, "type": "function", "function": function}


def _compact(arguments: str) -> str:
    """JSON without white space, as most emitters write it; anything else as it is."""
    parsed = reading.parsed_json(arguments) if arguments[:1] in ("{", "[") else None
    return arguments if parsed is None else reading.as_json(parsed)
