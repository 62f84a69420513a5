"""Receipts against the engine's ledger, and the ledger against the spans: does it all add up?

Three accounts of the same thing, each written by another hand: receipts by us when we answer, the
ledger by the engine when rows come in, the table itself. Nothing is lost when they agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Count

from traces.models import QuarantinedSpan, SpoolBatch
from traces.spool import deposits
from traces.store import client, statements

_MAX_DIFFERENCES = 100_000
_PIECE = 5_000


@dataclass(frozen=True, slots=True)
class Balance:
    """Spans of one project in a window. `accepted` should be the sum of the lines under it."""

    requests: int
    accepted: int
    distinct: int
    """Different spans that were stored."""
    resent: int
    """Stored spans that had been stored by an earlier request."""
    repeated: int
    """Copies of a span within its own request."""
    quarantined: int
    spooled: int
    missing: int
    """Acknowledged, and neither stored nor quarantined nor spooled: lost."""
    rejected: int
    dropped: int
    unacknowledged: int
    """Stored by requests that got no answer, which their senders send again; also by an INSERT in
    which the engine died before it had written its ledger."""
    gone: int
    """In the ledger and not among the spans."""
    unledgered: int
    """Acknowledged, among the spans and not in the ledger."""

    @property
    def explained(self) -> int:
        stored = self.distinct + self.resent + self.repeated
        return stored + self.quarantined + self.spooled

    @property
    def is_good(self) -> bool:
        return self.accepted == self.explained and not (
            self.missing or self.gone or self.unledgered
        )


def balance(project_id: UUID, *, since_ns: int, until_ns: int) -> Balance:
    """Raises StoreError. Requests on their way count as unacknowledged: end the window some seconds
    ago.
    """
    window = {"project_id": str(project_id), "since_ns": since_ns, "until_ns": until_ns}
    # In this order: what is drained meanwhile is then in both accounts rather than in none.
    spooled = _spooled(project_id, since_ns, until_ns)
    told = _one("receipts_totals", window)
    ledger = _one("ledger_totals", window)
    known = _receipted(project_id, list(spooled))
    waiting = {ns: spans for ns, spans in spooled.items() if ns not in known}
    found = _differences(project_id, window, waiting)
    past = _one("spans_without_ledger", window)
    spooled_spans = sum(waiting.values())
    return Balance(
        requests=told["requests"] + len(waiting),
        accepted=told["accepted"] + spooled_spans,
        distinct=ledger["spans"],
        resent=ledger["stored"] - ledger["spans"],
        repeated=told["accepted"] - told["unique_spans"],
        quarantined=found.quarantined,
        spooled=spooled_spans,
        missing=found.missing,
        rejected=told["rejected"],
        dropped=told["dropped"],
        unacknowledged=found.unacknowledged + past["cut_short"],
        gone=_one("ledger_without_spans", window)["spans"],
        unledgered=past["spans"],
    )


@dataclass(slots=True)
class _Differences:
    missing: int = 0
    quarantined: int = 0
    unacknowledged: int = 0


def _differences(project_id: UUID, window: dict[str, Any], waiting: dict[int, int]) -> _Differences:
    rows = _query("ledger_differences", {**window, "limit": _MAX_DIFFERENCES})
    kept = _quarantined(project_id, window["since_ns"], window["until_ns"])
    found = _Differences()
    for row in rows:
        received_ns, lacking = row["received_ns"], row["promised"] - row["stored"]
        if not row["receipts"]:
            # A spooled request between its rows and its receipt is on its way.
            found.unacknowledged += 0 if received_ns in waiting else row["stored"]
            continue
        here = max(0, min(lacking, kept.get(received_ns, 0)))
        found.quarantined += here
        found.missing += max(0, lacking - here)
    return found


def _quarantined(project_id: UUID, since_ns: int, until_ns: int) -> dict[int, int]:
    found = (
        QuarantinedSpan.objects.for_project(project_id)
        .filter(released_at=None, received_ns__gte=since_ns, received_ns__lt=until_ns)
        .values("received_ns")
        .annotate(spans=Count("id"))
        .order_by("received_ns")
    )
    return {row["received_ns"]: row["spans"] for row in found}


def _spooled(project_id: UUID, since_ns: int, until_ns: int) -> dict[int, int]:
    """Spans by the time of their receipt."""
    waiting = SpoolBatch.objects.filter(
        project_id=project_id, received_ns__gte=since_ns, received_ns__lt=until_ns
    )
    with deposits.connected():
        return dict(waiting.values_list("received_ns", "accepted"))


def _receipted(project_id: UUID, times: Sequence[int]) -> set[int]:
    """Drained up to the last step: receipted, and not yet out of the spool."""
    found: set[int] = set()
    for piece in _pieces(times):
        parameters = {"project_id": str(project_id), "received_ns": piece}
        found |= {row["received_ns"] for row in _query("receipts_known", parameters)}
    return found


def _pieces(times: Sequence[int]) -> Iterator[list[int]]:
    rest = iter(times)
    while piece := list(islice(rest, _PIECE)):
        yield piece


def _one(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return _query(name, parameters)[0]


def _query(name: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    return client.query(statements.text(name), parameters)
