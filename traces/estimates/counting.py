"""The usage of one call as its texts suggest: what went in and came out, counted as chat messages.

Pictures, audio and documents count nothing, and what the provider adds (cached prefixes, hidden
reasoning, its own wording of tools) is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from traces.estimates import tokenizer
from traces.estimates.tokenizer import Tokenizer
from traces.otlp import deep_values
from traces.semconv import messages, reading
from traces.semconv.messages import Conversation, Message, Part, ToolDefinition
from traces.spans import Span, Usage

# As OpenAI counts chat messages: around each, for a name, and to prime the answer.
_A_MESSAGE = 3
_A_NAME = 1
_PRIMER = 3


def of(span: Span) -> tuple[Usage, str] | None:
    """Usage, and the encoding that counted it; None where there is no text to count.

    Raises EncodingMissing.
    """
    if span.usage is not None or "total_tokens" in span.sources:  # it did report something
        return None
    counter = tokenizer.of_model(span.model)
    usage = _embedding(span, counter) if span.kind == "embedding" else _call(span, counter)
    return (usage, counter.name) if usage.total else None


def _call(span: Span, counter: Tokenizer) -> Usage:
    said = messages.of(span)
    reasoning = counter.count(_texts(said.output, {"reasoning"}))
    answer = counter.count(_texts(said.output, {"text", "tool_call", "tool_result"}))
    return Usage(
        uncached_input=_whole(span, "input", _input(said, counter)),
        output=_whole(span, "output", answer + reasoning),
        reasoning=_whole(span, "output", reasoning),
    )


def _input(said: Conversation, counter: Tokenizer) -> int:
    sent = [message for message in said.input if any(_part(part) for part in message.parts)]
    if not sent:
        return 0
    around = sum(_A_MESSAGE + (_A_NAME if message.name else 0) for message in sent)
    words = (word for message in sent for word in (message.role, message.name))
    texts = (*words, *_texts(sent), *_tools(said.tool_definitions))
    return counter.count(texts) + around + _PRIMER


def _texts(sent: Iterable[Message], types: set[str] | None = None) -> Iterator[str]:
    for message in sent:
        for part in message.parts:
            if types is None or part.type in types:
                yield from _part(part)


def _part(part: Part) -> tuple[str, ...]:
    if part.type == "tool_call":
        return (part.tool_name, part.arguments)
    text = part.result if part.type == "tool_result" else part.text
    is_said = part.type != "media" and text and text not in reading.WITHHELD
    return (text,) if is_said else ()


def _tools(definitions: Iterable[ToolDefinition]) -> Iterator[str]:
    for tool in definitions:
        if tool.parameters or tool.description:
            yield from (tool.name, tool.description, tool.parameters)
        else:
            yield tool.definition


def _embedding(span: Span, counter: Tokenizer) -> Usage:
    listed = reading.parsed_json(span.input) if reading.looks_like_json(span.input) else None
    numbers = _token_ids(listed)
    if numbers:
        return Usage(uncached_input=numbers)
    if isinstance(listed, list) and listed and all(isinstance(one, str) for one in listed):
        texts: Sequence[str] = listed
    else:
        texts = list(_texts(messages.of(span).input))
    return Usage(uncached_input=_whole(span, "input", counter.count(texts)))


def _token_ids(listed: Any) -> int:
    """Some clients tokenise by themselves and send the numbers."""
    if not isinstance(listed, list):
        return 0
    if all(type(one) is int for one in listed):
        return len(listed)
    if all(isinstance(one, list) for one in listed):
        return sum(map(_token_ids, listed))
    return 0


def _whole(span: Span, side: str, tokens: int) -> int:
    """Of a text that was cut at ingest, what all of it would make."""
    text = span.input if side == "input" else span.output
    if deep_values.MARK in text:
        return tokens  # the mark says how long it was on the wire, and nobody reads what is gone
    kept = len(text)
    held = f"attributes.{span.sources.get(side, '')}"
    length = span.truncated.get(side) or span.truncated.get(held, 0)
    return round(tokens * length / kept) if kept and length > kept else tokens
