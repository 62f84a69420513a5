"""One shape for messages, and readers of the JSON shapes that emitters use for them.

Chat completions, responses, Anthropic blocks, Gemini contents and OpenTelemetry parts overlap so
far that one tolerant reader takes all. It looks at what is there, not at who sent it, and never
raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from traces.semconv import message_parts
from traces.semconv.message_parts import CALLS, MAX_PARTS, REASONING, RESULTS, Part, first, parts

__all__ = ["Message", "Part", "message", "messages", "parts"]

_MAX_MESSAGES = 5_000
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Message:
    """`role`: system, user, assistant or tool; another word only where the emitter used one.

    `is_listed`: its content came as a list of blocks, not as text.
    """

    role: str
    parts: tuple[Part, ...]
    name: str = ""
    finish_reason: str = field(default="", compare=False)
    is_listed: bool = field(default=False, compare=False)

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
# Messages that travel in a list of events say what they are by the event's name.
_EVENT_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
_ENVELOPES = (
    "messages", "contents", "output", "input", "message", "generations", "body", "content",
)  # fmt: skip
_PLAIN_PROMPTS = ("input", "prompt")
# What LiveKit notes in a conversation between its messages.
_CALL_ITEMS = frozenset({"function_call", "custom_tool_call", "reasoning"})
_NOTES = frozenset({"agent_config_update", "agent_handoff"})
_AI_SDK_PROMPT = frozenset({"system", "prompt", "instructions", "allowSystemInMessages"})
_PLAIN_RESULTS = ("text", "combined_chunk_content")


def messages(value: Any, role: str) -> list[Message] | None:
    """The messages that parsed JSON holds; None when it holds something else.

    `role` is for messages that do not say theirs.
    """
    return _messages(value, role, 0)


def sides(value: Any) -> tuple[list[Message], list[Message]]:
    """What went in and what came out, of a whole conversation: its last answers are the output.

    Where events name the answer (a choice), that is the output.
    """
    found = messages(value, "user") or []
    end = len(found)
    if isinstance(value, list) and len(value) == len(found):
        named = [index for index, item in enumerate(value) if _event(item) == "gen_ai.choice"]
        if named:
            chosen = set(named)
            rest = [message for index, message in enumerate(found) if index not in chosen]
            return rest, [found[index] for index in named]
    while end and found[end - 1].role == "assistant":
        end -= 1
    return found[:end], found[end:]


def message(value: Mapping[str, Any], role: str) -> Message:
    """One message object of any known shape."""
    inner = value.get("message")
    if isinstance(inner, dict) and _event(value) == "gen_ai.choice":
        value = {**inner, "finish_reason": value.get("finish_reason")}
    said = str(value.get("role") or _EVENT_ROLES.get(_event(value)) or value.get("type") or "")
    said = said.lower()
    if said in CALLS or said in RESULTS or said in REASONING or said == "message":
        # An item of the Responses API says its type there, and nobody's role.
        by_type = "tool" if said in RESULTS else "assistant" if said in _CALL_ITEMS else ""
        said = str(value.get("role") or by_type)
    own_role = _ROLES.get(said, said) or role
    found = [*_leading_parts(value), *_tool_calls(value)]
    if own_role == "tool":
        found = [_as_result(value, part) for part in found]
    return Message(
        own_role,
        tuple(found[:MAX_PARTS]),
        str(value.get("name") or ""),
        finish_reason=str(first(value, "finish_reason", "finishReason", "stop_reason") or ""),
        is_listed=isinstance(value.get("content"), list),
    )


# --- lists and envelopes ----------------------------------------------------------------------


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


def _from_list(items: list[Any], role: str, depth: int) -> list[Message] | None:
    if not items:
        return None
    if len(items) == 1 and isinstance(items[0], list):  # LangChain batches conversations
        return _messages(items[0], role, depth + 1)
    if not all(isinstance(item, dict) for item in items):
        return None
    items = [_unwrapped(item) for item in items[:_MAX_MESSAGES] if not _is_note(item)]
    if all(_is_message(item) for item in items):
        return [message(item, role) for item in items]
    if all(message_parts.is_block(item) for item in items):
        return [Message(role, parts(items), is_listed=True)]
    return None


def _is_note(item: Mapping[str, Any]) -> bool:
    kind = item.get("type")
    return isinstance(kind, str) and kind in _NOTES


def _unwrapped(item: dict[str, Any]) -> dict[str, Any]:
    """LangChain's serialised messages keep the message under `kwargs` or `data`."""
    inner = item.get("message")
    if isinstance(inner, dict) and "text" in item and "role" not in item:  # a generation
        item = inner
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
    for key, inner_key in (("choices", "message"), ("candidates", "content")):
        answers = value.get(key)
        if isinstance(answers, list):
            return [
                message({**item[inner_key], **_reason(item)}, "assistant")
                for item in answers[:MAX_PARTS]
                if isinstance(item, dict) and isinstance(item.get(inner_key), dict)
            ] or None
    for key in _ENVELOPES:
        inner = value.get(key)
        if isinstance(inner, (list, dict)):
            found_inner = _messages(inner, role, depth + 1)
            if found_inner:
                return found_inner
    return _from_plain(value, role)


def _from_plain(value: dict[str, Any], role: str) -> list[Message] | None:
    """A request whose prompt is text, or a result whose answer is."""
    if role == "user" and ("model" in value or value.keys() <= _AI_SDK_PROMPT):
        for key in _PLAIN_PROMPTS:
            if isinstance(value.get(key), str):
                return [Message("user", parts(value[key]))]
    if role == "assistant":
        for key in _PLAIN_RESULTS:
            text = value.get(key)
            if isinstance(text, str) and (text or value.get("toolCalls")):
                return [message({**value, "role": role, "content": text}, role)]
    return None


def _reason(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"finish_reason": first(item, "finish_reason", "finishReason")}


def _is_message(item: Mapping[str, Any]) -> bool:
    if str(item.get("type", "")).lower() in CALLS | RESULTS | {"message"}:
        return True
    if _event(item) in _EVENT_ROLES:
        return True
    has_content = any(key in item for key in ("content", "parts", "tool_calls", "contents"))
    if isinstance(item.get("role"), str):
        return has_content or len(item) <= 2
    return str(item.get("type", "")).lower() in _ROLES and "content" in item


def _event(item: Any) -> str:
    name = item.get("event.name") if isinstance(item, dict) else ""
    return name if isinstance(name, str) else ""


# --- the parts of one message -----------------------------------------------------------------


def _leading_parts(value: Mapping[str, Any]) -> list[Part]:
    kind = str(value.get("type") or "").lower()
    if kind in CALLS or kind in RESULTS or kind in REASONING:
        return list(message_parts.parts_of_item(dict(value)))
    content = first(value, "parts", "content", "contents", "text")
    found = list(parts(content))
    thinking = first(value, "reasoning_content", "reasoning", "thinking", "reasoningText")
    if isinstance(thinking, str) and thinking:
        found.insert(0, Part("reasoning", text=thinking))
    refusal = value.get("refusal")
    if isinstance(refusal, str) and refusal:
        found.append(Part("text", text=refusal))
    return found


def _tool_calls(value: Mapping[str, Any]) -> list[Part]:
    calls = message_parts.calls(first(value, "tool_calls", "toolCalls"))
    legacy = value.get("function_call")
    if isinstance(legacy, dict):
        calls.append(message_parts.call(legacy))
    return calls


def _as_result(value: Mapping[str, Any], part: Part) -> Part:
    if part.type != "text":
        return part
    return Part(
        "tool_result",
        tool_call_id=str(first(value, "tool_call_id", "id") or ""),
        tool_name=str(value.get("name") or ""),
        result=part.text,
    )
