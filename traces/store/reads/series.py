"""Figures over time: by hour or day, whole or by model, agent, environment, release or status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from traces.store import statements
from traces.store.errors import QueryTooLarge
from traces.store.filters import TraceFilter
from traces.store.reads import figures
from traces.store.reads.figures import Figures
from traces.store.reads.project import LIMITS, ProjectReads

Step = Literal["hour", "day"]
By = Literal["", "environment", "release", "status", "model", "agent"]
MAX_POINTS = 20_000
_VALUES = {"": "''", "environment": "environment", "release": "release", "status": "status"}
_SHARES = {"model": "usage_shares.model", "agent": "usage_shares.agent"}


@dataclass(frozen=True, slots=True)
class Point:
    """One hour or day (its start) of one value.

    By model and agent, `traces` counts those that used it, with their durations and failures, and
    tokens and cost are of its own calls alone.
    """

    at: datetime
    value: str
    traces: Figures
    calls: int = 0
    failed_calls: int = 0


class SeriesReads(ProjectReads):
    """Series of settled traces."""

    def series(
        self,
        wanted: TraceFilter,
        *,
        step: Step = "day",
        by: By = "",
        zone: str = "UTC",
        limit: int = MAX_POINTS,
    ) -> list[Point]:
        """Points in time order; hours and days without a trace have none. `zone` is an IANA name.

        Raises QueryTooLarge over `limit` points.
        """
        if by in _SHARES:
            name, value = "usage_series", _SHARES[by]
        else:
            name, value = "trace_series", _VALUES[by]
        found = self._query(
            statements.with_filter(name, wanted.settled_fragments(), value=value),
            {
                **wanted.parameters(),
                "step": step,
                "zone": zone,
                "limit": limit + 1,
            },
            LIMITS,
        )
        if len(found) > limit:
            raise QueryTooLarge(
                f"This chart would have more than {limit:,} points. Choose a shorter time "
                "range, days instead of hours, or another grouping."
            )
        return [
            Point(
                at=row["at"],
                value=row["value"],
                traces=figures.of(row, count="traces", errors="failed_traces"),
                calls=row.get("calls", 0),
                failed_calls=row.get("failed_calls", 0),
            )
            for row in found
        ]
