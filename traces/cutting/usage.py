"""Cuts the names in coding agents' data points that are longer than a key may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from traces.agent_usage import AgentUsage
from traces.cutting import values
from traces.cutting.limits import CutLimits

_NAMES = ("model", "session_id", "user_id", "service_name", "environment")


def cut(usage: Sequence[AgentUsage], limits: CutLimits) -> tuple[list[AgentUsage], int]:
    """The points as they are kept, and how many were cut."""
    kept, count = [], 0
    for point in usage:
        texts = {name: getattr(point, name) for name in _NAMES}
        over: dict[str, Any] = {
            name: values.cut(text, limits.key_chars)
            for name, text in texts.items()
            if len(text) > limits.key_chars
        }
        kept.append(replace(point, **over) if over else point)
        count += bool(over)
    return kept, count
