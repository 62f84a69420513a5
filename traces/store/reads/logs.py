"""Log records of one project."""

from __future__ import annotations

from traces.logs import Log
from traces.store import log_rows, statements
from traces.store.reads.project import ProjectReads

MAX_LOGS = 2_000
"""Of one trace that one read gives."""


class LogReads(ProjectReads):
    def logs(self, trace_id: bytes, *, limit: int = MAX_LOGS) -> list[Log]:
        """Those that say they belong to the trace, in time order."""
        sql = statements.with_filter("trace_logs")
        found = self._query(sql, {"trace_id": trace_id.hex(), "limit": limit})
        return [log_rows.to_log(row) for row in found]

    def span_logs(self, trace_id: bytes, span_id: bytes, *, limit: int = MAX_LOGS) -> list[Log]:
        """Those of one span."""
        sql = statements.with_filter("trace_logs", ("span_id = unhex({span_id:String})",))
        parameters = {"trace_id": trace_id.hex(), "span_id": span_id.hex(), "limit": limit}
        return [log_rows.to_log(row) for row in self._query(sql, parameters)]
