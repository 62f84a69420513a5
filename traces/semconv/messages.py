"""A stored span's conversation, parsed when somebody reads it. Hostile content never raises: what
is no message is shown as one piece of text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from traces.semconv import events, flat_messages, message_parts, message_shapes, places, reading
from traces.semconv.message_shapes import Message, Part
from traces.semconv.reads import ReadField
from traces.semconv.registry import FLAT_MESSAGES
from traces.spans import Span

__all__ = ["Conversation", "Message", "Part", "ToolDefinition", "of"]

Side = Literal["input", "output"]

_WHOLE: dict[Side, ReadField] = {"input": "input_messages", "output": "output_messages"}
_FLAT: dict[Side, tuple[str, ...]] = {
    side: tuple(flat.prefix for flat in FLAT_MESSAGES if flat.side == side and flat.are_messages)
    for side in _WHOLE
}
_FLAT_TOOLS = ("llm.tools.", "llm.request.functions.")
_ROLE: dict[Side, str] = {"input": "user", "output": "assistant"}
_MAX_TOOLS = 1_000
_EMPTY = frozenset({"", "[]"})


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """`parameters` is JSON Schema as text; `definition` the whole definition as it was sent."""

    name: str
    description: str
    parameters: str
    definition: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """`instructions`: what the model was told beside its messages."""

    input: list[Message] = field(default_factory=list)
    output: list[Message] = field(default_factory=list)
    tool_definitions: list[ToolDefinition] = field(default_factory=list)
    instructions: tuple[Part, ...] = ()


def of(span: Span) -> Conversation:
    """What went in and what came out, as messages; a tool's arguments and result as such.

    Instructions come as the first message too.
    """
    if span.kind == "tool":
        return Conversation(*_tool_sides(span), tool_definitions=_tool_definitions(span))
    found = with_text(span, sent(span))
    if found.instructions and not any(message.role == "system" for message in found.input):
        return replace(found, input=[Message("system", found.instructions), *found.input])
    return found


def sent(span: Span) -> Conversation:
    """As `of`, but only what was sent as messages: text that is none makes no message."""
    tools = _tool_definitions(span)
    if span.kind == "tool":
        return Conversation(tool_definitions=tools)
    output = _with_extras(span, _messages(span, "output"))
    return Conversation(_messages(span, "input"), output, tools, _instructions(span))


def with_text(span: Span, found: Conversation) -> Conversation:
    """With text as a message, on a side where no messages were sent."""
    return replace(
        found,
        input=found.input or _from_text(span, "input"),
        output=found.output or _from_text(span, "output"),
    )


def tool_text(span: Span, side: Side) -> str:
    """A tool's arguments (input) or result (output), as text or JSON text."""
    name: ReadField = "tool_arguments" if side == "input" else "tool_result"
    own = span.input if side == "input" else span.output
    return unquoted(places.first_text(span, name) or own)


unquoted = reading.unquoted


def _messages(span: Span, side: Side) -> list[Message]:
    """The messages of one side, wherever they lie."""
    role = _ROLE[side]
    for prefix in _FLAT[side]:
        if any(name.startswith(prefix) for name in span.attributes):
            listed = flat_messages.collect(span.attributes, prefix)
            if listed:
                return [message_shapes.message(item, role) for item in listed]
    for _, value in places.of(span, _WHOLE[side]):
        found = _parsed(value, role)
        if found:
            return found
    for _, value in places.of(span, "conversation"):
        sides = message_shapes.sides(reading.parsed_json(value))
        if any(sides):
            return sides[0] if side == "input" else sides[1]
    return _parsed(_text(span, side), role) or []


def _text(span: Span, side: Side) -> str:
    text = span.input if side == "input" else span.output
    if not text and span.events:
        text, _ = events.messages(span.events, side)
    return text


def _from_text(span: Span, side: Side) -> list[Message]:
    text = _text(span, side)
    if text in _EMPTY:
        return []
    return [Message(_ROLE[side], (Part("text", text=unquoted(text)),))]


def _parsed(value: Any, role: str) -> list[Message] | None:
    if not value or (isinstance(value, str) and not reading.looks_like_json(value)):
        return None
    return message_shapes.messages(reading.parsed_json(value), role)


def _with_extras(span: Span, output: list[Message]) -> list[Message]:
    """The answer with the tool calls and the reasoning that were sent beside its text."""
    said = {part.type for message in output for part in message.parts}
    calls = [] if "tool_call" in said else _extra_calls(span)
    reasoning = () if "reasoning" in said else _extra_reasoning(span)
    if not calls and not reasoning:
        return output
    last = output[-1] if output else _answer(span)
    return [*output[:-1], replace(last, parts=(*reasoning, *last.parts, *calls))]


def _is_calls(span: Span) -> bool:
    """Whether the output is but the list of tool calls."""
    source = span.sources.get("output")
    return any(source == name for name, _ in places.of(span, "output_tool_calls"))


def has_empty_text(span: Span) -> bool:
    """Whether the answer was sent as no text and, beside it, tool calls."""
    return _is_calls(span) and any(
        span.attributes.get(name) == "" for name in places.names(span, "output_text")
    )


def _answer(span: Span) -> Message:
    if _is_calls(span):
        return Message("assistant", ())
    return next(iter(_from_text(span, "output")), Message("assistant", ()))


def _extra_calls(span: Span) -> list[Part]:
    for _, value in places.of(span, "output_tool_calls"):
        found = message_parts.calls(reading.parsed_json(value))
        if found:
            return found
    return []


def _extra_reasoning(span: Span) -> tuple[Part, ...]:
    for _, value in places.of(span, "output_reasoning"):
        parsed = reading.parsed_json(value)
        text = "\n".join(part.text for part in message_parts.parts(parsed or value))
        if text:
            return (Part("reasoning", text=text),)
    return ()


def _tool_sides(span: Span) -> tuple[list[Message], list[Message]]:
    call = Part(
        "tool_call",
        tool_call_id=span.tool_call_id,
        tool_name=span.tool_name,
        arguments=tool_text(span, "input"),
    )
    result = Part(
        "tool_result",
        tool_call_id=span.tool_call_id,
        tool_name=span.tool_name,
        result=tool_text(span, "output"),
    )
    return [Message("assistant", (call,))], [Message("tool", (result,))] if result.result else []


def _instructions(span: Span) -> tuple[Part, ...]:
    for _, value in places.of(span, "system_instructions"):
        parsed = reading.parsed_json(value)
        parts = message_parts.parts(value if parsed is None else parsed)
        if parts:
            return parts
    return ()


# --- tool definitions -------------------------------------------------------------------------


def _tool_definitions(span: Span) -> list[ToolDefinition]:
    for candidates in (_listed_tools(span), _flat_tools(span)):
        found = [_tool_definition(item) for item in candidates][:_MAX_TOOLS]
        if found:
            return found
    return []


def _listed_tools(span: Span) -> Iterable[Any]:
    """The first place's list of tools; Gemini groups them, some say them as an object by name."""
    for _, value in places.of(span, "tool_definitions"):
        parsed = reading.parsed_json(value)
        if isinstance(parsed, dict) and parsed:
            parsed = [parsed] if "name" in parsed or "function" in parsed else list(parsed.values())
        if not isinstance(parsed, list) or not parsed:
            continue
        for item in parsed:
            group = item if isinstance(item, dict) else {}
            declared = group.get("function_declarations") or group.get("functionDeclarations")
            yield from declared if isinstance(declared, list) else (item,)
        return


def _flat_tools(span: Span) -> Iterable[Any]:
    for prefix in _FLAT_TOOLS:
        for node in flat_messages.indexed(flat_messages.tree(span.attributes, prefix)):
            inner = node.get("tool")
            schema = inner.get("json_schema") if isinstance(inner, dict) else None
            yield node if inner is None else schema


def _tool_definition(item: Any) -> ToolDefinition:
    raw = item if isinstance(item, str) else reading.as_json(item)
    parsed = reading.parsed_json(item)
    if not isinstance(parsed, dict):
        return ToolDefinition(raw if raw.isidentifier() else "", "", "", raw)
    function = parsed.get("function")
    details = function if isinstance(function, dict) else parsed
    parameters = message_parts.first(details, *_SCHEMAS)
    return ToolDefinition(
        name=str(details.get("name") or ""),
        description=str(details.get("description") or ""),
        parameters="" if parameters is None else reading.text(parameters),
        definition=raw,
    )


_SCHEMAS = (
    "parameters", "input_schema", "inputSchema", "schema", "parameters_json_schema",
    "parametersJsonSchema",
)  # fmt: skip
