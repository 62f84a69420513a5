"""Usage that coding agents of one project reported as metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from traces import agent_usage
from traces.spans import Usage
from traces.store import statements
from traces.store.filters import in_ns
from traces.store.reads.project import LIMITS, ProjectReads

By = Literal["model", "user"]
MAX_LINES = 500
_VALUES: Mapping[By, str] = {"model": "model", "user": "user_id"}
# Programs that count cumulatively send every minute or so, also when nothing happened.
_LOOKS_BACK_NS = 7 * 86_400 * 10**9
_COST_PLACES = Decimal("1e-10")


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """What one agent counted with one model or for one user; `cost_usd` None where it told none."""

    agent: str
    value: str
    usage: Usage
    cost_usd: Decimal | None
    sessions: int
    users: int
    last_ns: int


class AgentUsageReads(ProjectReads):
    def agent_usage(
        self, since: datetime, until: datetime, *, by: By = "model"
    ) -> list[AgentFigures]:
        """Totals of the times from `since` to before `until`, the dearest first, of MAX_LINES."""
        since_ns, until_ns = in_ns(since), in_ns(until)
        window = {
            "since_ns": since_ns,
            "until_ns": until_ns,
            "looks_back_to_ns": max(0, since_ns - _LOOKS_BACK_NS),
            "limit": MAX_LINES,
        }
        sql = statements.with_filter("agent_usage", value=_VALUES[by])
        return [
            AgentFigures(
                agent=row["agent"],
                value=row["value"],
                usage=agent_usage.disjoint(row["agent"], row["amounts"]),
                cost_usd=_cost(row["amounts"].get("cost_usd")),
                sessions=row["sessions"],
                users=row["users"],
                last_ns=row["last_ns"],
            )
            for row in self._query(sql, window, LIMITS)
        ]


def _cost(reported: float | None) -> Decimal | None:
    return None if reported is None else Decimal(reported).quantize(_COST_PLACES)
