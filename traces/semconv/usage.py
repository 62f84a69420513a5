"""Token counts as reported to disjoint buckets.

Conventions and providers differ in whether cached tokens are counted inside the input or beside
it, and reasoning inside the output or beside it. Reasoning larger than the output was beside it.
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
    total: int | None = None
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


def counts(found: Mapping[str, int], *, cache_inside_input: bool = True) -> Counts:
    """Counts by the name of their bucket."""
    get = found.get
    return Counts(
        input=get("input"),
        output=get("output"),
        cache_read=get("cache_read"),
        cache_write=get("cache_write"),
        cache_write_5m=get("cache_write_5m"),
        cache_write_1h=get("cache_write_1h"),
        reasoning=get("reasoning"),
        input_audio=get("input_audio"),
        output_audio=get("output_audio"),
        total=get("total"),
        cache_inside_input=cache_inside_input,
    )


def disjoint(reported: Counts) -> Usage | None:
    """None when nothing was reported."""
    if reported.is_empty:
        return None
    read = reported.cache_read or 0
    write_1h = reported.cache_write_1h or 0
    if reported.cache_write_5m is not None:
        write_5m = reported.cache_write_5m
    else:
        write_5m = max(0, (reported.cache_write or 0) - write_1h)
    cached = read + write_5m + write_1h
    gross = reported.input or 0
    inside = reported.cache_inside_input and not _adds_cached(reported, cached)
    reasoning, output = reported.reasoning or 0, reported.output or 0
    return Usage(
        uncached_input=max(0, gross - cached) if inside else gross,
        cache_read=read,
        cache_write_5m=write_5m,
        cache_write_1h=write_1h,
        output=output + reasoning if _adds_reasoning(reported) else output,
        reasoning=reasoning,
        other={
            name: float(count)
            for name, count in (
                ("input_audio", reported.input_audio),
                ("output_audio", reported.output_audio),
            )
            if count
        },
    )


def _adds_cached(reported: Counts, cached: int) -> bool:
    """Whether the reported total shows that cached tokens were counted beside the input."""
    if not cached or reported.total is None:
        return False
    return reported.total == (reported.input or 0) + (reported.output or 0) + cached


def _adds_reasoning(reported: Counts) -> bool:
    """Whether reasoning was counted beside the output: it is more, or the total shows it."""
    reasoning, output = reported.reasoning or 0, reported.output or 0
    if not reasoning or reported.total is None:
        return reasoning > output
    return reasoning > output or reported.total == (reported.input or 0) + output + reasoning


_NAMES: Mapping[str, tuple[str, ...]] = {
    "input": (
        "input_tokens",
        "prompt_tokens",
        "inputTokens",
        "promptTokens",
        "promptTokenCount",
        "input",
    ),
    "output": (
        "output_tokens",
        "completion_tokens",
        "outputTokens",
        "completionTokens",
        "candidatesTokenCount",
        "output",
    ),
    "cache_read": (
        "cache_read_tokens",
        "input_cached_tokens",
        "input_cache_read",
        "cache_read_input_tokens",
        "cached_tokens",
        "cachedInputTokens",
        "cachedContentTokenCount",
    ),
    "cache_write": (
        "cache_write_tokens",
        "cache_creation_input_tokens",
        "input_cache_creation",
        "cacheWriteTokens",
    ),
    "cache_write_1h": ("cache_write_1h_tokens", "ephemeral_1h_input_tokens"),
    "cache_write_5m": ("cache_write_5m_tokens", "ephemeral_5m_input_tokens"),
    "reasoning": (
        "reasoning_tokens",
        "output_reasoning_tokens",
        "output_reasoning",
        "reasoningTokens",
        "thoughtsTokenCount",
    ),
    "total": ("total_tokens", "totalTokens", "total", "totalTokenCount"),
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


# Free names of counts that add up, as Langfuse's users give them.
_DISJOINT = {"input", "output"}


def from_object(value: Any) -> Counts | None:
    """A provider's usage object (or JSON text of one), as applications hand it over by hand."""
    reported = reading.parsed_json(value)
    if not isinstance(reported, dict):
        return None
    levels = [reported, *(reported[key] for key in _NESTED if isinstance(reported.get(key), dict))]
    found = _counted(levels)
    if not found.keys() - {"total"}:
        return None
    inside = not any(name in reported for name in _BESIDE)
    if reported.keys() & _DISJOINT:
        inside = False
        found["output"] = found.get("output", 0) + found.get("reasoning", 0)
    return counts(found, cache_inside_input=inside)


_BUCKETS: Mapping[str, tuple[str, int]] = {
    name: (bucket, place) for bucket, names in _NAMES.items() for place, name in enumerate(names)
}


def _counted(levels: list[dict[str, Any]]) -> dict[str, int]:
    """Of each bucket the count on the outermost level, of its names the first."""
    found: dict[str, int] = {}
    for level in levels:
        best: dict[str, tuple[int, int]] = {}
        for name, value in level.items():
            meant = _BUCKETS.get(name)
            if meant is None or (number := reading.count(value)) is None:
                continue
            bucket, place = meant
            if bucket not in best or place < best[bucket][0]:
                best[bucket] = (place, number)
        for bucket, (_, number) in best.items():
            found.setdefault(bucket, number)
    return found
