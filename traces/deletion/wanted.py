"""What a deletion takes: traces by id, what names a session or a user, or all of a project."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from traces.store.batches import Batch


@dataclass(frozen=True, slots=True)
class Wanted:
    project_id: UUID
    trace_ids: frozenset[bytes] = field(default_factory=frozenset)
    session_id: str = ""
    user_id: str = ""
    is_everything: bool = False

    @property
    def hex_ids(self) -> list[str]:
        return sorted(trace_id.hex() for trace_id in self.trace_ids)

    def kept(self, batch: Batch) -> list[int]:
        """Numbers of the rows that are not wanted."""
        if self.is_everything:
            return []
        rows = list(range(batch.rows))
        checks = (
            ("trace_id", self.trace_ids),
            ("session_id", {self.session_id} - {""}),
            ("user_id", {self.user_id} - {""}),
        )
        for name, values in checks:
            if values and name in batch.names:
                column = batch.column(name)
                rows = [row for row in rows if column[row] not in values]
        return rows
