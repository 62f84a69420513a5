"""Which metrics of coding agents say tokens and cost, and how. Every other metric is refused.

Claude Code https://code.claude.com/docs/en/monitoring-usage#metrics, Codex
https://github.com/openai/codex/tree/main/codex-rs/otel, Gemini CLI
https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/telemetry.md
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

from traces.agent_usage import AgentUsage, Counted, DataPoint, RawMetric
from traces.otlp import decoded, json_values
from traces.otlp.decoded import Rejection
from traces.semconv import normalize, reading
from traces.spans import Attributes


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a metric counts: always the same, or by the attribute `type_name` (others: nothing)."""

    agent: str
    types: Mapping[str, Counted]
    type_name: str = ""
    ignored: frozenset[str] = frozenset()
    """Types that restate others: taken, and not kept."""


METRICS: Mapping[str, Meaning] = {
    "claude_code.token.usage": Meaning(
        "claude_code",
        {
            "input": "input",
            "output": "output",
            "cacheRead": "cache_read",
            "cacheCreation": "cache_write",
        },
        "type",
    ),
    "claude_code.cost.usage": Meaning("claude_code", {"": "cost_usd"}),
    "codex.turn.token_usage": Meaning(
        "codex",
        {
            "input": "input",
            "cached_input": "cache_read",
            "output": "output",
            "reasoning_output": "reasoning",
        },
        "token_type",
        ignored=frozenset({"total"}),
    ),
    "gemini_cli.token.usage": Meaning(
        "gemini_cli",
        {
            "input": "input",
            "output": "output",
            "cache": "cache_read",
            "thought": "reasoning",
            "tool": "tool",
        },
        "type",
    ),
}
_KINDS = frozenset({"sum", "histogram"})
_REFUSED = (
    "only the usage counters of coding agents are kept here "
    f"({', '.join(METRICS)}); send other metrics to a metrics store"
)
_SESSION = ("session.id", "session_id", "conversation.id", "thread.id")
_USER = ("user.id", "user.account_uuid", "user.account_id", "user.email")
_MODEL = ("model", "gen_ai.request.model")


def of(
    raws: Sequence[RawMetric], *, project_id: UUID, received_ns: int
) -> tuple[list[AgentUsage], list[Rejection]]:
    """The points that are kept, and why others are not, counted in points."""
    kept: list[AgentUsage] = []
    refused = decoded.Collector[AgentUsage]("metric")
    for raw in raws:
        label = decoded.label(raw.name)
        meaning = METRICS.get(raw.name)
        if meaning is None:
            refused.reject(label, _REFUSED, raw.point_count)
            continue
        if raw.kind not in _KINDS:
            refused.reject(label, f"it is a {raw.kind}, not a sum or histogram", raw.point_count)
            continue
        for point in raw.points:
            reason = _flaw(point, meaning)
            if reason:
                refused.reject(label, reason)
            elif _type(point, meaning) not in meaning.ignored:
                kept.append(_usage(point, raw, meaning, project_id, received_ns))
    return kept, list(refused.done().rejected)


def _type(point: DataPoint, meaning: Meaning) -> str:
    said = point.attributes.get(meaning.type_name, "") if meaning.type_name else ""
    return said if isinstance(said, str) else reading.text(said)


def _flaw(point: DataPoint, meaning: Meaning) -> str:
    """Why a point cannot be counted; empty when it can."""
    if point.value is None:
        return "a data point has no value"
    if not math.isfinite(point.value) or point.value < 0:
        return f"a data point's value is {point.value}"
    said = _type(point, meaning)
    if said not in meaning.types and said not in meaning.ignored:
        return f"a data point's {meaning.type_name} is {said[:40]!r}, which is not known"
    return ""


def _usage(
    point: DataPoint, raw: RawMetric, meaning: Meaning, project_id: UUID, received_ns: int
) -> AgentUsage:
    facts = normalize.resource_facts(raw.resource)
    attributes = {**raw.resource.attributes, **point.attributes}
    return AgentUsage(
        project_id=project_id,
        series_id=_series(point, raw),
        agent=meaning.agent,
        metric=raw.name,
        counted=meaning.types[_type(point, meaning)],
        is_delta=raw.is_delta,
        start_ns=point.start_ns,
        time_ns=point.time_ns or received_ns,
        received_ns=received_ns,
        value=point.value or 0.0,
        model=_first(attributes, _MODEL),
        session_id=_first(attributes, _SESSION),
        user_id=_first(attributes, _USER),
        service_name=facts.get("service_name", ("", ""))[0],
        environment=facts.get("environment", ("", ""))[0],
    )


def _series(point: DataPoint, raw: RawMetric) -> bytes:
    attributes = dict(sorted(point.attributes.items()))
    texts = (raw.name, json_values.values_to_json(attributes), raw.resource.json, raw.scope.json)
    return blake2b("\0".join(texts).encode(), digest_size=16).digest()


def _first(attributes: Attributes, names: Sequence[str]) -> str:
    return next((reading.text(attributes[n]) for n in names if attributes.get(n)), "")
