"""Which service tier a call was served in, as its span says: ordinary, batch, priority, flex.

A table of where emitters write it. What the response says counts before what was asked for. Read
for models only that have such tiers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from traces.pricing.rates import STANDARD
from traces.semconv import reading
from traces.spans import Attributes

ATTRIBUTES = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "gen_ai.response.service_tier",
    "gen_ai.usage.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
    "gen_ai.request.service_tier",
    "llm.request.service_tier",
    "service_tier",
)
# Attributes that hold JSON, and the paths in it.
HOLDERS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "ai.response.providerMetadata": (("openai", "serviceTier"), ("anthropic", "serviceTier")),
    "response_data": (("service_tier",), ("usage", "service_tier")),
    "traceroot.llm.usage": (("service_tier",),),
    "llm.invocation_parameters": (("service_tier",), ("extra_body", "service_tier")),
    "traceroot.llm.model_parameters": (("service_tier",),),
    "langfuse.observation.model.parameters": (("service_tier",),),
    "request_data": (("service_tier",),),
    "gen_ai.usage.raw": (("service_tier",), ("serviceTier",)),
}
_MEANS: Mapping[str, str] = {
    "batch": "batch",
    "batches": "batch",
    "priority": "priority",
    "fast": "priority",
    "on_demand_priority": "priority",
    "flex": "flex",
    "on_demand_flex": "flex",
    "balanced": "balanced",
    "ultrafast": "ultrafast",
}
_PLACES = frozenset((*ATTRIBUTES, *HOLDERS))
# What a request says when it leaves the choice to the provider.
_UNDECIDED = frozenset({"", "auto"})


def of(attributes: Attributes) -> str:
    """`batch`, `priority`, `flex`, …, or "" for the standard tier."""
    if not _PLACES.isdisjoint(attributes):
        for said in _said(attributes):
            return _MEANS.get(said, STANDARD)
    return STANDARD


def _said(attributes: Attributes) -> Iterator[str]:
    for name in ATTRIBUTES:
        value = attributes.get(name)
        if value is not None and (word := _word(value)) not in _UNDECIDED:
            yield word
    for name, paths in HOLDERS.items():
        held = attributes.get(name)
        if held is None or (isinstance(held, str) and not _may_say(held)):
            continue
        parsed = reading.parsed_json(held)
        for path in paths:
            if (word := _word(reading.at(parsed, path))) not in _UNDECIDED:
                yield word


def _may_say(text: str) -> bool:
    return "service_tier" in text or "serviceTier" in text


def _word(value: Any) -> str:
    return value.strip().lower()[:40] if isinstance(value, str) else ""
