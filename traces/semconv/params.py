"""A model call's request parameters under their usual names (those of chat completions)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from traces.semconv import places, reading, reads
from traces.semconv.registry import CONVENTIONS
from traces.spans import Span

_NAMED = tuple(
    (name, tuple(map(reads.split, found)))
    for convention in CONVENTIONS
    for name, found in convention.reads.params.items()
)
_PREFIXES = tuple(p for convention in CONVENTIONS for p in convention.reads.param_prefixes)
_OBJECTS = tuple(
    reads.split(place) for convention in CONVENTIONS for place in convention.reads.param_objects
)
_USUAL = {
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "max_new_tokens": "max_tokens",
    "max_tokens_to_sample": "max_tokens",
    "stop": "stop_sequences",
    "choice_count": "n",
    "streaming": "stream",
    "is_streaming": "stream",
}
# What a request holds besides its parameters.
_NO_PARAMETERS = frozenset(
    {
        "model", "model_name", "user", "messages", "prompt", "input", "contents", "system",
        "instructions", "system_instruction", "system_instructions", "tools", "functions",
        "headers", "http_options", "metadata", "_type", "base_url", "api_key",
    }
)  # fmt: skip
_NUMBERS = frozenset(
    {
        "temperature", "top_p", "top_k", "min_p", "max_tokens", "seed", "n", "frequency_penalty",
        "presence_penalty", "repetition_penalty", "max_retries", "timeout", "logprobs",
        "top_logprobs", "thinking_budget",
    }
)  # fmt: skip
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MAX_PARAMS = 200


def of(span: Span) -> dict[str, Any]:
    """By name; where two attributes disagree the more trusted one counts."""
    found: dict[str, Any] = {}
    for name, value in _sent(span):
        usual = _usual(name)
        if usual not in _NO_PARAMETERS and value is not None and len(found) < _MAX_PARAMS:
            found.setdefault(usual, _value(usual, value))
    return found


def _sent(span: Span) -> Iterator[tuple[str, Any]]:
    for prefix in _PREFIXES:
        size = len(prefix)
        for name, value in span.attributes.items():
            if name.startswith(prefix):
                yield name[size:], value
    for name, found in _NAMED:
        for place in found:
            yield name, _at(span, place)
    for place in _OBJECTS:
        parsed = reading.parsed_json(_at(span, place))
        if isinstance(parsed, dict):
            yield from parsed.items()


def _at(span: Span, place: places.Place) -> Any:
    name, path = place
    value = places.attribute(span, name)
    return reading.at(reading.parsed_json(value), path) if path and value is not None else value


def _usual(name: str) -> str:
    """`maxOutputTokens`, `max_output_tokens` and `max.output.tokens` alike."""
    snake = _WORD_START.sub("_", name).lower().replace(".", "_").replace("-", "_")
    return _USUAL.get(snake, snake)


def _value(name: str, value: Any) -> Any:
    """Lists and objects parsed, numbers as numbers, also where they were sent as text."""
    if not isinstance(value, str):
        return [value] if name == "stop_sequences" and not isinstance(value, list) else value
    if name in _NUMBERS:
        number = reading.decimal(value)
        if number is not None:
            return int(number) if number == int(number) and "." not in value else float(number)
    if value in ("true", "false"):
        return value == "true"
    parsed = reading.parsed_json(value) if value[:1] in ("[", "{") else None
    if parsed is not None:
        return parsed
    return [value] if name == "stop_sequences" else value
