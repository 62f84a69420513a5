"""One shape for messages, and readers of the JSON shapes that emitters use for them.

Chat completions, responses, Anthropic blocks, Gemini contents and OpenTelemetry parts overlap so
far that one tolerant reader takes all. It looks at what is there, not at who sent it, and never
raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from traces.semconv import reading

PartType = Literal["text", "tool_call", "tool_result", "reasoning", "media"]

_MAX_MESSAGES = 5_000
_MAX_PARTS = 1_000
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


@dataclass(frozen=True, slots=True)
class Message:
    """`role`: system, user, assistant or tool; another word only where the emitter used one."""

    role: str
    parts: tuple[Part, ...]
    name: str = ""

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if part.type == "text")


_ROLES = {
    "human": "user",
    "ai": "assistant",
    "model": "assistant",
    "developer": "system",
    "function": "tool",
    "assistantmessage": "assistant",
    "humanmessage": "user",
    "systemmessage": "system",
    "toolmessage": "tool",
}
_TEXT = frozenset({"text", "input_text", "output_text", "refusal"})
_REASONING = frozenset({"reasoning", "thinking", "redacted_thinking", "summary_text"})
_CALLS = frozenset({"tool_call", "tool_use", "function_call", "tool-call", "server_tool_use"})
_RESULTS = frozenset(
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
        "input_image",
        "audio",
        "input_audio",
        "video",
        "document",
        "file",
        "input_file",
        "blob",
        "uri",
        "media",
    }
)


def messages(value: Any, role: str) -> list[Message] | None:
    """The messages that parsed JSON holds; None when it holds something else.

    `role` is for messages that do not say theirs.
    """
    return _messages(value, role, 0)


def _messages(value: Any, role: str, depth: int) -> list[Message] | None:
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, list):
        return _from_list(value, role, depth)
    if not isinstance(value, dict):
        return None
    if _is_message(value):
        return [message(value, role)]
    found = _from_envelope(value, role, depth)
    if found and (system := value.get("system") or value.get("instructions")):
        return [Message("system", parts(system)), *found]
    return found


def message(value: Mapping[str, Any], role: str) -> Message:
    """One message object of any known shape."""
    said = str(value.get("role") or value.get("type") or "").lower()
    if said in _CALLS or said in _RESULTS or said in _REASONING or said == "message":
        said = str(value.get("role") or "")  # an item of the Responses API says its type there
    own_role = _ROLES.get(said, said) or role
    found = [*_leading_parts(value), *_tool_calls(value)]
    if own_role == "tool":
        found = [_as_result(value, part) for part in found]
    return Message(own_role, tuple(found[:_MAX_PARTS]), str(value.get("name") or ""))


def parts(value: Any) -> tuple[Part, ...]:
    """Content of any known shape: text, a block, or a list of both."""
    if value is None or value == "" or value == []:
        return ()
    if isinstance(value, str):
        return (Part("text", text=value),)
    if isinstance(value, list):
        return tuple(part for item in value[:_MAX_PARTS] for part in parts_of_item(item))
    return parts_of_item(value)


def parts_of_item(item: Any) -> tuple[Part, ...]:
    if item is None:
        return ()
    if not isinstance(item, dict):
        return (Part("text", text=item if isinstance(item, str) else reading.as_json(item)),)
    kind = str(item.get("type") or _kind_by_keys(item)).lower()
    if kind in _CALLS:
        return (_call(item),)
    if kind in _RESULTS:
        return (_result(item),)
    if kind in _REASONING:
        return _reasoning(item)
    if kind in _MEDIA:
        return (_media(item, kind),)
    text = _first(item, "text", "content", "refusal") if kind in _TEXT else None
    if isinstance(text, str):
        return (Part("text", text=text),) if text else ()
    return (Part("text", text=reading.as_json(item)),)


def tool_calls_of(value: Any) -> list[Part]:
    """Chat completions' `tool_calls`."""
    if not isinstance(value, list):
        return []
    return [_call(item) for item in value[:_MAX_PARTS] if isinstance(item, dict)]


# --- lists and envelopes ----------------------------------------------------------------------


def _from_list(items: list[Any], role: str, depth: int) -> list[Message] | None:
    if not items:
        return None
    if len(items) == 1 and isinstance(items[0], list):  # LangChain batches conversations
        return _messages(items[0], role, depth + 1)
    if not all(isinstance(item, dict) for item in items):
        return None
    items = [_unwrapped(item) for item in items[:_MAX_MESSAGES]]
    if all(_is_message(item) for item in items):
        return [message(item, role) for item in items]
    if all(_is_block(item) for item in items):
        return [Message(role, parts(items))]
    return None


def _unwrapped(item: dict[str, Any]) -> dict[str, Any]:
    """LangChain's serialised messages keep the message under `kwargs` or `data`."""
    for key in ("kwargs", "data"):
        inner = item.get(key)
        if isinstance(inner, dict) and "content" in inner:
            path = item.get("id")  # of a class, as ["langchain", "schema", …, "HumanMessage"]
            kind = path[-1] if isinstance(path, list) and path else item.get("type")
            return {**inner, "role": inner.get("role") or _role_of_class(str(kind or ""))}
    return item


def _role_of_class(kind: str) -> str:
    lowered = kind.lower().removesuffix("chunk")
    return _ROLES.get(lowered, lowered)


def _from_envelope(value: dict[str, Any], role: str, depth: int) -> list[Message] | None:
    """Whole requests and responses of model APIs."""
    choices = value.get("choices")
    if isinstance(choices, list):
        found = [
            message(choice["message"], "assistant")
            for choice in choices[:_MAX_PARTS]
            if isinstance(choice, dict) and isinstance(choice.get("message"), dict)
        ]
        return found or None
    candidates = value.get("candidates")
    if isinstance(candidates, list):
        found = [
            message(item["content"], "assistant")
            for item in candidates[:_MAX_PARTS]
            if isinstance(item, dict) and isinstance(item.get("content"), dict)
        ]
        return found or None
    for key in ("messages", "contents", "output", "input", "message", "generations"):
        inner = value.get(key)
        if isinstance(inner, (list, dict)):
            found_inner = _messages(inner, role, depth + 1)
            if found_inner:
                return found_inner
        elif key == "input" and isinstance(inner, str) and "model" in value:
            return [Message("user", parts(inner))]
    return None


def _is_message(item: Mapping[str, Any]) -> bool:
    if str(item.get("type", "")).lower() in _CALLS | _RESULTS | {"message"}:
        return True
    has_content = any(key in item for key in ("content", "parts", "tool_calls", "contents"))
    if isinstance(item.get("role"), str):
        return has_content or len(item) <= 2
    return str(item.get("type", "")).lower() in _ROLES and "content" in item


def _is_block(item: Mapping[str, Any]) -> bool:
    kind = str(item.get("type") or _kind_by_keys(item)).lower()
    return kind in _TEXT | _REASONING | _CALLS | _RESULTS | _MEDIA


# --- parts ------------------------------------------------------------------------------------


def _leading_parts(value: Mapping[str, Any]) -> list[Part]:
    kind = str(value.get("type") or "").lower()
    if kind in _CALLS or kind in _RESULTS or kind in _REASONING:
        return list(parts_of_item(dict(value)))
    content = _first(value, "parts", "content", "contents", "text")
    found = list(parts(content))
    thinking = _first(value, "reasoning_content", "reasoning", "thinking")
    if isinstance(thinking, str) and thinking:
        found.insert(0, Part("reasoning", text=thinking))
    refusal = value.get("refusal")
    if isinstance(refusal, str) and refusal:
        found.append(Part("text", text=refusal))
    return found


def _tool_calls(value: Mapping[str, Any]) -> list[Part]:
    calls = tool_calls_of(value.get("tool_calls"))
    legacy = value.get("function_call")
    if isinstance(legacy, dict):
        calls.append(_call(legacy))
    return calls


def _as_result(value: Mapping[str, Any], part: Part) -> Part:
    if part.type != "text":
        return part
    return Part(
        "tool_result",
        tool_call_id=str(_first(value, "tool_call_id", "id") or ""),
        tool_name=str(value.get("name") or ""),
        result=part.text,
    )


def _call(item: Mapping[str, Any]) -> Part:
    function = _first(item, "function", "functionCall", "function_call")
    details = function if isinstance(function, dict) else item
    arguments = _first(details, "arguments", "args", "input", "parameters")
    return Part(
        "tool_call",
        tool_call_id=str(_first(item, "call_id", "id", "tool_call_id", "toolCallId") or ""),
        tool_name=str(_first(details, "name", "tool_name", "toolName") or ""),
        arguments="" if arguments is None else reading.text(arguments),
    )


def _result(item: Mapping[str, Any]) -> Part:
    inner = item.get("functionResponse")
    details = inner if isinstance(inner, dict) else item
    result = _first(details, "response", "result", "content", "output")
    blocks = parts(result) if isinstance(result, list) else ()
    only_text = bool(blocks) and all(block.type == "text" for block in blocks)
    text = "\n".join(block.text for block in blocks) if only_text else None
    if text is None:
        text = "" if result is None else reading.text(result)
    call_id = _first(item, "id", "tool_use_id", "call_id", "tool_call_id", "toolCallId")
    return Part(
        "tool_result",
        tool_call_id=str(call_id or ""),
        tool_name=str(_first(details, "name", "tool_name", "toolName") or ""),
        result=text,
    )


def _reasoning(item: Mapping[str, Any]) -> tuple[Part, ...]:
    text = _first(item, "content", "text", "thinking", "summary", "data")
    if isinstance(text, list):
        text = "\n".join(part.text for part in parts(text))
    return (Part("reasoning", text=text),) if isinstance(text, str) and text else ()


def _media(item: Mapping[str, Any], kind: str) -> Part:
    source = _first(item, kind, "source", "image_url", "image", "input_audio", "file", "inlineData")
    details: Mapping[str, Any] = source if isinstance(source, dict) else item
    uri = (
        source if isinstance(source, str) else _first(details, "url", "uri", "file_uri", "file_id")
    )
    mime = _first(details, "mime_type", "media_type", "mimeType") or _first(item, "mime_type")
    data = _first(details, "data", "content", "file_data")
    if not uri and isinstance(data, str):
        uri = f"data:{mime or 'application/octet-stream'};base64,{data}"
    text = _first(item, "modality", "filename", "name") or kind
    return Part("media", text=str(text), mime_type=str(mime or ""), uri=str(uri or ""))


def _kind_by_keys(item: Mapping[str, Any]) -> str:
    """Blocks without a type: Gemini's parts and bare text."""
    if isinstance(item.get("functionCall"), dict) or isinstance(item.get("function_call"), dict):
        return "function_call"
    if isinstance(item.get("functionResponse"), dict):
        return "function_response"
    if "inlineData" in item or "image_url" in item:
        return "media"
    if isinstance(item.get("text"), str) and len(item) <= 2:
        return "reasoning" if item.get("thought") is True else "text"
    return ""


def _first(item: Mapping[str, Any], *keys: str) -> Any:
    return next((item[key] for key in keys if item.get(key) not in (None, "")), None)
