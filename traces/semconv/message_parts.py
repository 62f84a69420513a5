"""The parts of a message, and readers of the blocks that emitters send for them.

Like the messages' own shapes these overlap so far that one tolerant reader takes all: it looks at
what is there, not at who sent it, and never raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from traces.semconv import reading

PartType = Literal["text", "tool_call", "tool_result", "reasoning", "media"]

MAX_PARTS = 1_000
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Part:
    """`arguments` is JSON text (of a tool_call), `result` text or JSON text (of a tool_result)."""

    type: PartType
    text: str = ""
    tool_call_id: str = ""
    tool_name: str = ""
    arguments: str = ""
    result: str = ""
    mime_type: str = ""
    uri: str = ""


_TEXT = frozenset({"text", "input_text", "output_text", "refusal"})
REASONING = frozenset(
    {"reasoning", "thinking", "redacted_thinking", "redacted-reasoning", "summary_text"}
)
CALLS = frozenset({"tool_call", "tool_use", "function_call", "tool-call", "server_tool_use"})
RESULTS = frozenset(
    {
        "tool_call_response",
        "tool_result",
        "tool-result",
        "function_call_output",
        "function_response",
        "tool_response",
    }
)
_MEDIA = frozenset(
    {
        "image",
        "image_url",
        "image-url",
        "input_image",
        "audio",
        "audio-url",
        "input_audio",
        "video",
        "video-url",
        "document",
        "document-url",
        "file",
        "input_file",
        "binary",
        "blob",
        "uri",
        "media",
    }
)
# LiveKit's sign of where a prompt's cached part ends.
_CACHE_MARK = {"type": "cache_breakpoint"}
_BLOCKS = _TEXT | REASONING | CALLS | RESULTS | _MEDIA
# Blocks that say by a key what they are (Gemini, Bedrock), in either spelling.
_KEYED = {
    "functionCall": "function_call",
    "function_call": "function_call",
    "toolUse": "tool_use",
    "toolRequest": "tool_call",
    "functionResponse": "function_response",
    "function_response": "function_response",
    "toolResult": "tool_result",
    "toolResponse": "tool_result",
    "inlineData": "media",
    "inline_data": "media",
    "fileData": "media",
    "file_data": "media",
    "image_url": "media",
    "reasoningContent": "reasoning",
}


def is_block(item: Mapping[str, Any]) -> bool:
    return _kind(item) in _BLOCKS


def parts(value: Any, depth: int = 0) -> tuple[Part, ...]:
    """Content of any known shape: text, a block, or a list of both."""
    if value is None or value == "" or value == []:
        return ()
    if isinstance(value, str):
        return (Part("text", text=value),)
    if isinstance(value, list) and depth < _MAX_DEPTH:
        return tuple(part for item in value[:MAX_PARTS] for part in parts_of_item(item, depth))
    return parts_of_item(value, depth)


def parts_of_item(item: Any, depth: int = 0) -> tuple[Part, ...]:
    if item is None or item == _CACHE_MARK:
        return ()
    if not isinstance(item, dict):
        return (Part("text", text=item if isinstance(item, str) else reading.as_json(item)),)
    kind = _kind(item)
    if kind in CALLS:
        return (call(item),)
    if kind in RESULTS:
        return (_result(item, depth),)
    if kind in REASONING:
        return _reasoning(item, depth)
    if kind in _MEDIA:
        return (_media(item, kind),)
    if kind in _TEXT:
        text = first(item, "text", "content", "refusal")
        if text is None:  # said nothing, or content was not to be sent
            return ()
        if isinstance(text, str):
            return (Part("text", text=text),)
    if depth < _MAX_DEPTH and isinstance(item.get("parts"), list):  # a content of its own
        return parts(item["parts"], depth + 1)
    return (Part("text", text=reading.as_json(item)),)


def calls(value: Any) -> list[Part]:
    """Chat completions' `tool_calls`, and lists like it."""
    if not isinstance(value, list):
        return []
    return [call(item) for item in value[:MAX_PARTS] if isinstance(item, dict)]


def call(item: Mapping[str, Any]) -> Part:
    function = first(
        item, "function", "functionCall", "function_call", "toolUse", "toolRequest", "payload"
    )
    details = function if isinstance(function, dict) else item
    arguments = first(details, "arguments", "args", "input", "parameters")
    call_ids = ("call_id", "id", "tool_call_id", "toolCallId", "toolUseId", "ref")
    return Part(
        "tool_call",
        tool_call_id=str(first(item, *call_ids) or first(details, *call_ids) or ""),
        tool_name=str(first(details, "name", "tool_name", "toolName") or ""),
        arguments="" if arguments is None else reading.text(arguments),
    )


def first(item: Mapping[str, Any], *keys: str) -> Any:
    """The first of these that holds something."""
    return next((item[key] for key in keys if item.get(key) not in (None, "")), None)


def _result(item: Mapping[str, Any], depth: int) -> Part:
    inner = first(item, "functionResponse", "function_response", "toolResult", "toolResponse")
    details = inner if isinstance(inner, dict) else item
    result = _unwrapped(first(details, "response", "result", "content", "output"))
    blocks = parts(result, depth + 1) if isinstance(result, list) and depth < _MAX_DEPTH else ()
    only_text = bool(blocks) and all(block.type == "text" for block in blocks)
    text = "\n".join(block.text for block in blocks) if only_text else None
    if text is None:
        text = "" if result is None else reading.text(result)
    names = ("id", "tool_use_id", "call_id", "tool_call_id", "toolCallId", "toolUseId", "ref")
    return Part(
        "tool_result",
        tool_call_id=str(first(item, *names) or first(details, *names) or ""),
        tool_name=str(first(details, "name", "tool_name", "toolName") or ""),
        result=text,
    )


def _unwrapped(result: Any) -> Any:
    """The AI SDK says of a result what it is: `{"type": "json", "value": …}`."""
    if isinstance(result, dict) and result.keys() == {"type", "value"}:
        return result["value"]
    return result


def _reasoning(item: Mapping[str, Any], depth: int) -> tuple[Part, ...]:
    inner = item.get("reasoningContent")
    if isinstance(inner, dict):
        item = inner
    text = first(item, "content", "text", "thinking", "summary", "data", "reasoningText")
    if isinstance(text, dict):
        text = first(text, "text", "content")
    if isinstance(text, list) and depth < _MAX_DEPTH:
        text = "\n".join(part.text for part in parts(text, depth + 1))
    return (Part("reasoning", text=text),) if isinstance(text, str) and text else ()


def _media(item: Mapping[str, Any], kind: str) -> Part:
    source = first(
        item,
        kind,
        "source",
        "image_url",
        "image",
        "input_audio",
        "file",
        "inlineData",
        "inline_data",
        "fileData",
        "file_data",
    )
    details: Mapping[str, Any] = source if isinstance(source, dict) else item
    uri = (
        source
        if isinstance(source, str)
        else first(details, "url", "uri", "file_uri", "fileUri", "file_id")
    )
    types = ("mime_type", "media_type", "mimeType", "mediaType", "contentType")
    mime = first(details, *types) or first(item, *types)
    data = first(details, "data", "content", "file_data")
    if not uri and isinstance(data, str):
        uri = f"data:{mime or 'application/octet-stream'};base64,{data}"
    text = first(item, "modality", "filename", "name") or kind.removesuffix("-url")
    return Part("media", text=str(text), mime_type=str(mime or ""), uri=str(uri or ""))


def _kind(item: Mapping[str, Any]) -> str:
    said = item.get("type") or item.get("kind")
    return said.lower() if isinstance(said, str) else _kind_by_keys(item)


def _kind_by_keys(item: Mapping[str, Any]) -> str:
    """Blocks without a type: Gemini's and Bedrock's parts, and bare text."""
    for key, kind in _KEYED.items():
        if key in item:
            return kind if isinstance(item[key], (dict, str)) else ""
    if "toolCallId" in item and "toolName" in item:  # the AI SDK's list of calls
        return "tool_result" if "result" in item or "output" in item else "tool_call"
    if isinstance(item.get("text"), str) and len(item) <= 2:
        return "reasoning" if item.get("thought") is True else "text"
    return ""
