"""Which values the facts of matching traces have, the most frequent first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from traces.store import statements
from traces.store.filters import TraceFilter
from traces.store.reads.project import LIMITS, ProjectReads

_VALUES = {
    "status": "status",
    "kind": "kind",
    "model": "arrayJoin(models)",
    "agent": "arrayJoin(agents)",
    "tool": "arrayJoin(tools)",
    "environment": "environment",
    "release": "release",
    "service": "service_name",
    "user": "user_id",
    "session": "session_id",
    "tag": "arrayJoin(tags)",
    "name": "name",
    "metadata": "arrayJoin(mapKeys(metadata))",
}
FACETS = tuple(_VALUES)
"""`kind` and `name` are the root's; `metadata` gives keys."""
MAX_VALUES = 100


@dataclass(frozen=True, slots=True)
class FacetValue:
    value: str
    traces: int


class FacetReads(ProjectReads):
    """Facets of settled traces."""

    def facets(
        self, wanted: TraceFilter, *, of: Sequence[str] = FACETS, limit: int = 10
    ) -> dict[str, list[FacetValue]]:
        """The top values of each facet named in `of`, with how many matching traces have them."""
        unknown = set(of) - set(FACETS)
        if unknown:
            raise ValueError(f"no facet {sorted(unknown)}; there are {', '.join(FACETS)}")
        fragments = wanted.settled_fragments()
        parameters = {**wanted.parameters(), "limit": min(limit, MAX_VALUES)}
        return {
            facet: [
                FacetValue(row["value"], row["traces"])
                for row in self._query(
                    statements.with_filter("trace_facets", fragments, value=_VALUES[facet]),
                    parameters,
                    LIMITS,
                )
            ]
            for facet in of
        }
