"""Two time ranges or two releases side by side, as a whole or by model, agent or tool."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from traces.store import statements
from traces.store.reads import figures
from traces.store.reads.figures import Figures
from traces.store.reads.project import LIMITS, ProjectReads

By = Literal["", "model", "agent", "tool"]
MAX_VALUES = 200
"""So many of each side are compared, the most frequent ones."""
_VALUES = {"model": "model", "agent": "agent_name", "tool": "tool_name"}


@dataclass(frozen=True, slots=True)
class Slice:
    """What to compare: starts from `since` to before `until`, in seconds; "" is every release."""

    since: datetime
    until: datetime
    release: str = ""
    include_evaluations: bool = False

    def parameters(self) -> dict[str, Any]:
        return {
            "since": max(0, math.floor(self.since.timestamp())),
            "until": min(2**32 - 1, max(0, math.ceil(self.until.timestamp()))),
            "release": self.release,
            "include_evaluations": self.include_evaluations,
        }


@dataclass(frozen=True, slots=True)
class Compared:
    """One value on both sides; None where it does not occur."""

    value: str
    before: Figures | None
    after: Figures | None


class ComparisonReads(ProjectReads):
    """Comparisons: of settled traces as a whole, of deduplicated spans by what they used."""

    def compare(self, before: Slice, after: Slice, *, by: By = "") -> list[Compared]:
        """The most frequent values first. By "" there is one row, of traces; else rows of spans."""
        sides = self._figures(before, by), self._figures(after, by)
        values = sorted(
            sides[0].keys() | sides[1].keys(),
            key=lambda value: (-sum(_count(side.get(value)) for side in sides), value),
        )
        return [Compared(value, sides[0].get(value), sides[1].get(value)) for value in values]

    def _figures(self, of: Slice, by: By) -> dict[str, Figures]:
        parameters = {**of.parameters(), "limit": MAX_VALUES}
        if by:
            sql = statements.with_filter("span_figures", value=_VALUES[by])
        else:
            sql = statements.text("trace_figures")
        return {
            row.get("value", ""): figures.of(row, count="spans", errors="errors")
            for row in self._query(sql, parameters, LIMITS)
            if row["spans"]
        }


def _count(found: Figures | None) -> int:
    return found.count if found else 0
