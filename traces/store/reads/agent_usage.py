"""Usage that coding agents of one project reported as metrics."""

from __future__ import annotations

from dataclasses import dataclass

from traces.store import statements
from traces.store.reads.project import ProjectReads

_MAX_LINES = 1_000


@dataclass(frozen=True, slots=True)
class CountedUsage:
    """`counted` names tokens by bucket, or `cost_usd`; `sessions` of which it was counted."""

    agent: str
    model: str
    counted: str
    amount: float
    sessions: int


class AgentUsageReads(ProjectReads):
    def agent_usage(self, since_ns: int, until_ns: int) -> list[CountedUsage]:
        """Totals by agent, model and what was counted."""
        window = {"since_ns": since_ns, "until_ns": until_ns, "limit": _MAX_LINES}
        found = self._query(statements.text("agent_usage"), window)
        return [CountedUsage(**row) for row in found]
