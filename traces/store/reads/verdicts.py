"""What detectors said at once: verdicts that have no run of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from traces.store import statements
from traces.store.reads.project import LIMITS, ProjectReads


@dataclass(frozen=True, slots=True)
class PassedCount:
    detector_id: UUID
    traces: int
    last: datetime


@dataclass(frozen=True, slots=True)
class PassedTrace:
    detector_id: UUID
    generation: int
    outcome: str
    summary: str
    decided_at: datetime


class VerdictReads(ProjectReads):
    def passed_at_once(self, since: datetime) -> dict[UUID, PassedCount]:
        """By detector, how many traces it passed without a run."""
        found = self._query(statements.text("verdict_counts"), {"since": since}, LIMITS)
        return {row["detector_id"]: PassedCount(**row) for row in found}

    def passes_of(self, trace_id: bytes, detector_ids: Sequence[UUID]) -> list[PassedTrace]:
        """Verdicts without a run on one trace, the newest of each detector."""
        wanted = {"trace_id": trace_id.hex(), "detector_ids": [str(one) for one in detector_ids]}
        found = self._query(statements.text("verdicts_of_trace"), wanted, LIMITS)
        return [PassedTrace(**row) for row in found]
