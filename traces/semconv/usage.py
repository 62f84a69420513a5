"""Token counts as reported to disjoint buckets.

Conventions and providers differ in whether cached tokens are counted inside the input or beside it, and
reasoning inside the output or beside it. Whoever reports a part larger than its whole counted it beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traces.semconv import reading
from traces.spans import Usage


@dataclass(frozen=True, slots=True)
class Counts:
    """As reported; None is "not reported". `cache_write` is the sum of both lifetimes."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    input_audio: int | None = None
    output_audio: int | None = None
    cache_inside_input: bool = True

    @property
    def is_empty(self) -> bool:
        return all(
            count is None
            for count in (
                self.input,
                self.output,
                self.cache_read,
                self.cache_write,
                self.cache_write_5m,
                self.cache_write_1h,
                self.reasoning,
            )
        )


def disjoint(counts: Counts) -> Usage | None:
    """None when nothing was reported."""
    if counts.is_empty:
        return None
    read = counts.cache_read or 0
    write_1h = counts.cache_write_1h or 0
    if counts.cache_write_5m is not None:
        write_5m = counts.cache_write_5m
    else:
        write_5m = max(0, (counts.cache_write or 0) - write_1h)
    cached = read + write_5m + write_1h
    gross = counts.input or 0
    reasoning, output = counts.reasoning or 0, counts.output or 0
    return Usage(
        uncached_input=max(0, gross - cached) if counts.cache_inside_input else gross,
        cache_read=read,
        cache_write_5m=write_5m,
        cache_write_1h=write_1h,
        output=output if reasoning <= output else output + reasoning,
        reasoning=reasoning,
        other={
            name: float(count)
            for name, count in (
                ("input_audio", counts.input_audio),
                ("output_audio", counts.output_audio),
            )
            if count
        },
    )


_NAMES: Mapping[str, tuple[str, ...]] = {
    "input": ("input_tokens", "prompt_tokens", "inputTokens", "promptTokens", "promptTokenCount"),
    "output": (
        "output_tokens",
        "completion_tokens",
        "outputTokens",
        "completionTokens",
        "candidatesTokenCount",
    ),
    "cache_read": (
        "cache_read_tokens",
        "cache_read_input_tokens",
        "cached_tokens",
        "cachedInputTokens",
        "cachedContentTokenCount",
    ),
    "cache_write": ("cache_write_tokens", "cache_creation_input_tokens", "cacheWriteTokens"),
    "cache_write_1h": ("cache_write_1h_tokens", "ephemeral_1h_input_tokens"),
    "cache_write_5m": ("cache_write_5m_tokens", "ephemeral_5m_input_tokens"),
    "reasoning": ("reasoning_tokens", "reasoningTokens", "thoughtsTokenCount"),
}
_NESTED = (
    "prompt_tokens_details",
    "completion_tokens_details",
    "input_tokens_details",
    "output_tokens_details",
    "cache_creation",
)
# Anthropic's API reports these beside `input_tokens`; its names say whose object was handed over.
_BESIDE = ("cache_read_input_tokens", "cache_creation_input_tokens")


def from_object(value: Any) -> Counts | None:
    """A provider's usage object (or JSON text of one), as applications hand it over by hand."""
    reported = reading.parsed_json(value)
    if not isinstance(reported, dict):
        return None
    levels = [reported, *(reported[key] for key in _NESTED if isinstance(reported.get(key), dict))]
    found = {
        bucket: _first_count(levels, names)
        for bucket, names in _NAMES.items()
    }
    counts = Counts(
        **{bucket: number for bucket, number in found.items() if number is not None},
        cache_inside_input=not any(name in reported for name in _BESIDE),
    )
    return None if counts.is_empty else counts


def _first_count(levels: list[Any], names: tuple[str, ...]) -> int | None:
    for level in levels:
        for name in names:
            number = reading.count(level.get(name))
            if number is not None:
                return number
    return None
