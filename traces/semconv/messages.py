"""A stored span's conversation, parsed when somebody reads it. Hostile content never raises: what
is no message is shown as one piece of text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from traces.semconv import events, flat_messages, message_shapes, reading
from traces.semconv.message_shapes import Message, Part
from traces.spans import AttributeValue, Span

__all__ = ["Conversation", "Message", "Part", "ToolDefinition", "of"]

Side = Literal["input", "output"]

# Where messages lie by themselves, beside a text that holds more than them.
_FLAT: dict[Side, tuple[str, ...]] = {
    "input": ("llm.input_messages.", "gen_ai.prompt."),
    "output": ("llm.output_messages.", "gen_ai.completion."),
}
_WHOLE: dict[Side, tuple[str, ...]] = {
    "input": ("gen_ai.input.messages", "traceroot.llm.prompt"),
    "output": ("gen_ai.output.messages",),
}
_SYSTEM = ("gen_ai.system_instructions",)
_TOOL_LISTS = ("gen_ai.tool.definitions",)
_TOOL_PARAMETERS = ("llm.invocation_parameters", "traceroot.llm.model_parameters")
_ROLE: dict[Side, str] = {"input": "user", "output": "assistant"}
_MAX_TOOLS = 1_000


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """`parameters` is JSON Schema as text; `definition` the whole definition as it was sent."""

    name: str
    description: str
    parameters: str
    definition: str


@dataclass(frozen=True, slots=True)
class Conversation:
    input: list[Message] = field(default_factory=list)
    output: list[Message] = field(default_factory=list)
    tool_definitions: list[ToolDefinition] = field(default_factory=list)


def of(span: Span) -> Conversation:
    """What went in and what came out, as messages; a tool's arguments and result as such."""
    if span.kind == "tool":
        return Conversation(*_tool_sides(span), tool_definitions=_tool_definitions(span))
    found = _side(span, "input")
    system = _system(span)
    if system and not any(message.role == "system" for message in found):
        found = [*system, *found]
    return Conversation(found, _side(span, "output"), _tool_definitions(span))


def unquoted(text: str) -> str:
    """A JSON string's content (some SDKs quote every text), anything else as it is."""
    if len(text) > 1 and text[0] == '"' == text[-1]:
        parsed = reading.parsed_json(text)
        if isinstance(parsed, str):
            return parsed
    return text


def _side(span: Span, side: Side) -> list[Message]:
    role = _ROLE[side]
    for prefix in _FLAT[side]:
        if any(name.startswith(prefix) for name in span.attributes):
            listed = flat_messages.collect(span.attributes, prefix)
            if listed:
                return [message_shapes.message(item, role) for item in listed]
    for name in _WHOLE[side]:
        found = _parsed(_attribute(span, name), role)
        if found:
            return found
    text = span.input if side == "input" else span.output
    if not text and span.events:
        text, _ = events.messages(span.events, side)
    return _from_text(text, role)


def _from_text(text: str, role: str) -> list[Message]:
    if not text:
        return []
    return _parsed(text, role) or [Message(role, (Part("text", text=unquoted(text)),))]


def _parsed(value: AttributeValue, role: str) -> list[Message] | None:
    if not value or (isinstance(value, str) and not reading.looks_like_json(value)):
        return None
    return message_shapes.messages(reading.parsed_json(value), role)


def _tool_sides(span: Span) -> tuple[list[Message], list[Message]]:
    call = Part(
        "tool_call",
        tool_call_id=span.tool_call_id,
        tool_name=span.tool_name,
        arguments=unquoted(span.input),
    )
    result = Part(
        "tool_result",
        tool_call_id=span.tool_call_id,
        tool_name=span.tool_name,
        result=unquoted(span.output),
    )
    return [Message("assistant", (call,))], [Message("tool", (result,))] if span.output else []


def _system(span: Span) -> list[Message]:
    for name in _SYSTEM:
        value = _attribute(span, name)
        if value:
            parsed = reading.parsed_json(value) if isinstance(value, str) else value
            parts = message_shapes.parts(value if parsed is None else parsed)
            return [Message("system", parts)] if parts else []
    return []


def _attribute(span: Span, name: str) -> AttributeValue:
    """An attribute, also where the store keeps it as the span's input or output only."""
    value = span.attributes.get(name)
    if value is not None:
        return value
    for side in ("input", "output"):
        if span.sources.get(side) == name:
            return span.input if side == "input" else span.output
    return None


# --- tool definitions -------------------------------------------------------------------------


def _tool_definitions(span: Span) -> list[ToolDefinition]:
    for candidates in (_listed_tools(span), _flat_tools(span), _parameter_tools(span)):
        found = [_tool_definition(item) for item in candidates][:_MAX_TOOLS]
        if found:
            return found
    return []


def _listed_tools(span: Span) -> Iterable[Any]:
    for name in _TOOL_LISTS:
        parsed = reading.parsed_json(_attribute(span, name))
        if isinstance(parsed, list):
            yield from parsed


def _flat_tools(span: Span) -> Iterable[Any]:
    tree = flat_messages.tree(span.attributes, "llm.tools.")
    for node in flat_messages.indexed(tree):
        inner = node.get("tool")
        schema = inner.get("json_schema") if isinstance(inner, dict) else None
        if schema is not None:
            yield schema
    yield from flat_messages.indexed(flat_messages.tree(span.attributes, "llm.request.functions."))
    own = _attribute(span, "tool.json_schema")
    if own is not None:
        yield own


def _parameter_tools(span: Span) -> Iterable[Any]:
    for name in _TOOL_PARAMETERS:
        parsed = reading.parsed_json(_attribute(span, name))
        tools = parsed.get("tools") if isinstance(parsed, dict) else None
        if isinstance(tools, list):
            yield from tools


def _tool_definition(item: Any) -> ToolDefinition:
    raw = item if isinstance(item, str) else reading.as_json(item)
    parsed = reading.parsed_json(item)
    if not isinstance(parsed, dict):
        return ToolDefinition("", "", "", raw)
    function = parsed.get("function")
    details = function if isinstance(function, dict) else parsed
    parameters = details.get("parameters") or details.get("input_schema") or details.get("schema")
    return ToolDefinition(
        name=str(details.get("name") or ""),
        description=str(details.get("description") or ""),
        parameters="" if parameters is None else reading.text(parameters),
        definition=raw,
    )
