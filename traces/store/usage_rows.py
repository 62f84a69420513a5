"""Data points of coding agents as rows of `agent_usage`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

from traces.agent_usage import AgentUsage
from traces.store import cells, rows
from traces.store.batches import Batch

TABLE = "agent_usage"
_Read = Callable[[AgentUsage], Any]
COLUMNS: tuple[tuple[str, str, _Read], ...] = (
    ("project_id", "UUID", attrgetter("project_id")),
    ("bucket_time", "DateTime('UTC')", lambda u: rows.bucket_seconds(u.time_ns, u.received_ns)),
    ("series_id", "FixedString(16)", attrgetter("series_id")),
    ("start_ns", "UInt64", attrgetter("start_ns")),
    ("time_ns", "UInt64", attrgetter("time_ns")),
    ("received_ns", "UInt64", attrgetter("received_ns")),
    ("agent", "LowCardinality(String)", attrgetter("agent")),
    ("metric", "LowCardinality(String)", attrgetter("metric")),
    ("counted", "LowCardinality(String)", attrgetter("counted")),
    ("is_delta", "Bool", attrgetter("is_delta")),
    ("value", "Float64", attrgetter("value")),
    ("model", "LowCardinality(String)", attrgetter("model")),
    ("session_id", "String", attrgetter("session_id")),
    ("user_id", "String", attrgetter("user_id")),
    ("service_name", "LowCardinality(String)", attrgetter("service_name")),
    ("environment", "LowCardinality(String)", attrgetter("environment")),
)
NAMES = (*(name for name, _, _ in COLUMNS), "retention_days")
TYPES = (*(type_ for _, type_, _ in COLUMNS), "UInt16")


def to_batch(
    usage: Sequence[AgentUsage], *, project_id: UUID, received_ns: int, retention_days: int = 0
) -> Batch:
    """The batch of one request."""
    if not usage:
        return Batch(project_id, received_ns, retention_days, (), (), [], table=TABLE)
    columns = [list(map(read, usage)) for _, _, read in COLUMNS]
    columns.append([cells.unsigned(retention_days, 16)] * len(usage))
    return Batch(project_id, received_ns, retention_days, NAMES, TYPES, columns, table=TABLE)
