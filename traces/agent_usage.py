"""Usage that coding agents report as metrics: data points as they arrived, and as they are kept.

It is kept apart from spans and log records, which report the same tokens again: nothing adds the
two up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from traces.spans import Attributes, Resource, Scope, Usage

Counted = Literal["input", "output", "cache_read", "cache_write", "reasoning", "tool", "cost_usd"]
# Whose input holds the cached tokens, and whose output does not hold the reasoning. Codex:
# https://github.com/openai/codex/blob/main/codex-rs/protocol/src/protocol.rs (TokenUsage); Gemini:
# https://ai.google.dev/api/generate-content#UsageMetadata
_CACHE_INSIDE_INPUT = frozenset({"codex", "gemini_cli"})
_REASONING_BESIDE_OUTPUT = frozenset({"gemini_cli"})


@dataclass(frozen=True, slots=True)
class DataPoint:
    """`value` is a number's own, or the sum of a histogram; None where none was recorded."""

    start_ns: int
    time_ns: int
    value: float | None
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class RawMetric:
    """One decoded OTLP metric. Of kinds that nobody counts by, only how many points it has."""

    name: str
    kind: str
    """sum, histogram, or what else OTLP has."""
    is_delta: bool
    points: Sequence[DataPoint]
    point_count: int
    resource: Resource
    scope: Scope


@dataclass(frozen=True, slots=True)
class AgentUsage:
    """One data point that is kept: a row of `agent_usage`.

    A cumulative series counts from `start_ns` on; a delta point what came since the one before.
    """

    project_id: UUID
    series_id: bytes
    """Hash of what tells the series from others: metric, attributes, resource, scope."""
    agent: str
    metric: str
    counted: Counted
    is_delta: bool
    start_ns: int
    time_ns: int
    received_ns: int
    value: float
    model: str = ""
    session_id: str = ""
    user_id: str = ""
    service_name: str = ""
    environment: str = ""


def disjoint(agent: str, amounts: Mapping[str, float]) -> Usage:
    """Sums of one agent, by what is counted, in the buckets that all agents share."""
    count = {counted: round(amount) for counted, amount in amounts.items()}
    cached, reasoning = count.get("cache_read", 0), count.get("reasoning", 0)
    given = count.get("input", 0)
    if agent in _CACHE_INSIDE_INPUT:
        given = max(0, given - cached)
    output = count.get("output", 0)
    if agent in _REASONING_BESIDE_OUTPUT:
        output += reasoning
    return Usage(
        uncached_input=given + count.get("tool", 0),
        cache_read=cached,
        cache_write_5m=count.get("cache_write", 0),
        output=output,
        reasoning=reasoning,
    )
