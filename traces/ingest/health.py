"""What a project's senders sent and what became of it, by key and in total, in a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from traces.models import QuarantinedSpan
from traces.spool import deposits
from traces.spool.deposits import Depth
from traces.store import client, statements

_NOBODY = UUID(int=0)
_MAX_KEYS = 200
_MAX_REASONS = 30
_MAX_RULES = 100
_WHAT = {"stored": "span", "logs": "log record", "metrics": "data point", "refused": "request"}


@dataclass(frozen=True, slots=True)
class Intake:
    """Figures of one key, or of all: of spans, but for `logs` (records) and `points` (of metrics).

    `distinct` counts different spans that were stored, `stored` those of each request for
    themselves.
    """

    requests: int = 0
    accepted: int = 0
    unique_spans: int = 0
    distinct: int = 0
    stored: int = 0
    truncated: int = 0
    rejected: int = 0
    dropped: int = 0
    quarantined: int = 0
    late: int = 0
    logs: int = 0
    logs_rejected: int = 0
    logs_truncated: int = 0
    points: int = 0
    points_rejected: int = 0
    points_truncated: int = 0
    spooled_requests: int = 0
    orphaned: int = 0
    """Spans whose parent never came, of traces that settled and whose first spans it sent."""
    waiting: Depth | None = None
    """In the spool."""
    refused_requests: int = 0
    compressed_bytes: int = 0
    body_bytes: int = 0
    last_seen: datetime | None = None
    sdks: tuple[str, ...] = ()
    encodings: tuple[str, ...] = ()

    @property
    def has_other_signals(self) -> bool:
        return bool(self.logs or self.logs_rejected or self.points or self.points_rejected)

    @property
    def duplicate(self) -> int:
        """Repeated within a request, or stored by an earlier one."""
        return self.accepted - self.unique_spans + self.stored - self.distinct


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was rejected, or (`refused_with` an HTTP status) whole requests refused.

    `what` it was: span, log record, data point or request.
    """

    reason: str
    what: str
    refused_with: int
    times: int
    first_seen: datetime
    last_seen: datetime
    samples: tuple[str, ...]
    key_ids: tuple[UUID, ...]
    """Whose requests these were; some of them where there are many."""


@dataclass(frozen=True, slots=True)
class Health:
    total: Intake
    by_key: Mapping[UUID, Intake]
    reasons: list[Reason]
    orphaned: int
    quarantine: list[QuarantinedSpan]
    quarantined_now: int
    """In quarantine at this moment, whenever they came."""
    spool: Depth
    dropped_by: Mapping[str, int]
    """Spans by the rule that dropped them."""

    @property
    def over_limit(self) -> list[Reason]:
        """Requests that were refused because the project sent more than it may."""
        return [reason for reason in self.reasons if reason.refused_with == 429]


def of(project_id: UUID, *, since_ns: int, until_ns: int, since: datetime) -> Health:
    """Raises StoreError."""
    window = {"project_id": str(project_id), "since_ns": since_ns, "until_ns": until_ns}
    stored = {row["key_id"]: row for row in _query("ingest_stored", window)}
    orphans = {
        row["key_id"]: row["orphans"]
        for row in _query("ingest_orphans", {"project_id": str(project_id), "since": since})
    }
    waits = deposits.depth_by_key(project_id)
    by_key = {
        row["key_id"]: replace(
            _intake(row, stored.get(row["key_id"], {})),
            orphaned=orphans.get(row["key_id"], 0),
            waiting=waits.pop(row["key_id"], None),
        )
        for row in _query("ingest_by_key", {**window, "limit": _MAX_KEYS})
    }
    by_key |= {key_id: Intake(waiting=depth) for key_id, depth in waits.items()}
    waiting = QuarantinedSpan.objects.for_project(project_id).waiting()
    return Health(
        total=_total(by_key, stored.get(_NOBODY, {})),
        by_key=by_key,
        reasons=[
            Reason(
                row["reason"],
                _WHAT[row["kind_"]],
                row["refused_with"],
                row["times"],
                row["first_seen"],
                row["last_seen"],
                tuple(row["samples"]),
                tuple(row["keys"]),
            )
            for row in _query("ingest_reasons", {**window, "limit": _MAX_REASONS})
        ],
        orphaned=sum(orphans.values()),
        quarantine=list(waiting.newest().defer("content")[:10]),
        quarantined_now=waiting.count(),
        spool=deposits.depth(project_id),
        dropped_by=dropped_by(project_id, since_ns=since_ns, until_ns=until_ns),
    )


def dropped_by(project_id: UUID, *, since_ns: int, until_ns: int) -> dict[str, int]:
    """Spans by rule, most first. Raises StoreError."""
    window = {"project_id": str(project_id), "since_ns": since_ns, "until_ns": until_ns}
    found = _query("ingest_dropped", {**window, "limit": _MAX_RULES})
    return {row["rule"]: row["spans"] for row in found}


_SUMMED = (
    "requests",
    "accepted",
    "unique_spans",
    "truncated",
    "rejected",
    "dropped",
    "quarantined",
    "late",
    "logs",
    "logs_rejected",
    "logs_truncated",
    "points",
    "points_rejected",
    "points_truncated",
    "spooled_requests",
    "refused_requests",
    "compressed_bytes",
    "body_bytes",
)


def _intake(row: Mapping[str, Any], stored: Mapping[str, Any]) -> Intake:
    return Intake(
        **{name: row[name] for name in _SUMMED},
        distinct=stored.get("spans", 0),
        stored=stored.get("stored", 0),
        last_seen=row["last_seen"],
        sdks=tuple(row["sdks"]),
        encodings=tuple(row["encodings"]),
    )


def _total(by_key: Mapping[UUID, Intake], stored: Mapping[str, Any]) -> Intake:
    intakes = by_key.values()
    return Intake(
        **{name: sum(getattr(intake, name) for intake in intakes) for name in _SUMMED},
        # Not sums: a span may come by two keys.
        distinct=stored.get("spans", 0),
        stored=stored.get("stored", 0),
        last_seen=max((i.last_seen for i in intakes if i.last_seen), default=None),
    )


def _query(name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    return client.query(statements.text(name), parameters)
