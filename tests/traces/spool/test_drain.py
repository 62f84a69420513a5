"""Draining: fair, in any order, and done again after an end at any instant."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.traces import arrived, made
from traces.ingest import receipts
from traces.ingest.arrivals import Arrival
from traces.models import SpoolBatch
from traces.spool import deposits, drain, leases
from traces.spool.drain import Drainer
from traces.store import client, writer
from traces.store.engine.process import EngineProcess
from traces.store.reader import SpanReader
from traces.store.system import SystemReader

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "spool"]),
    pytest.mark.usefixtures("store"),
]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def later(seconds: float = leases.LEASE_SECONDS + 1) -> datetime:
    return NOW + timedelta(seconds=seconds)


def spool(*arrivals: Arrival, at: datetime = NOW) -> None:
    deposits.put(arrivals, now=at)


def spans_of(project_id: uuid.UUID) -> tuple[int, int]:
    """Visible spans and acknowledged ones."""
    found = client.query(
        "SELECT uniqExact(trace_id, span_id) AS n FROM spans WHERE project_id = {p:UUID}",
        {"p": str(project_id)},
    )
    known = client.query(
        "SELECT sum(accepted) AS n FROM receipts FINAL WHERE project_id = {p:UUID}",
        {"p": str(project_id)},
    )
    return int(found[0]["n"]), int(known[0]["n"])


def test_nothing_to_do_is_nothing_done() -> None:
    assert drain.drain() == 0


def test_everything_is_stored_whatever_the_order_of_arrival() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    old = arrived.arrival(project_id, made.span(project_id, trace_id, name="old"))
    new = arrived.arrival(project_id, made.span(project_id, trace_id, name="new"))
    spool(new, at=NOW)
    spool(old, at=later())
    assert drain.drain() == 2
    assert [span.name for span in SpanReader(project_id).spans(trace_id)] == ["new"]
    assert not SpoolBatch.objects.exists()


def test_drained_spans_are_new_to_whatever_follows_the_store() -> None:
    project_id = uuid.uuid4()
    sent = arrived.arrival(project_id)
    spool(sent)
    before = SystemReader().clock()
    drain.drain()
    [change] = SpanReader(project_id).changed_since(before - timedelta(milliseconds=1))
    assert change.trace_id == sent.batch.column("trace_id")[0]
    assert change.at >= before - timedelta(milliseconds=1)


@pytest.mark.parametrize("instant", ["claimed", "rows stored", "receipts stored", "finished"])
def test_a_drainer_that_is_killed_is_followed_by_another(instant: str) -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    sent = arrived.arrival(project_id, *(made.span(project_id, trace_id, n + 1) for n in range(5)))
    spool(sent)
    first = Drainer(lambda: NOW)
    claimed = first.claim()
    if instant != "claimed":
        writer.insert([arrival.batch for _, arrival in claimed])
    if instant in {"receipts stored", "finished"}:
        receipts.insert([arrival.receipt for _, arrival in claimed])
    if instant == "finished":
        first.finish(claimed)
    # ... and here it ends. Its lease still stands:
    assert drain.drain(now=lambda: later(1)) == 0
    assert drain.drain(now=later) == (0 if instant == "finished" else 1)
    assert spans_of(project_id) == (5, 5)
    assert len(SpanReader(project_id).spans(trace_id)) == 5
    assert not SpoolBatch.objects.exists()


def test_two_drainers_share_the_work() -> None:
    project_id = uuid.uuid4()
    spool(*(arrived.arrival(project_id) for _ in range(3)))
    first, second = Drainer(lambda: NOW), Drainer(lambda: NOW)
    assert len(first.claim()) == 3
    assert second.claim() == []


def test_projects_take_turns() -> None:
    loud, quiet = uuid.uuid4(), uuid.uuid4()
    spool(*(arrived.arrival(loud) for _ in range(500)))
    spool(arrived.arrival(quiet), at=later())
    claimed = Drainer(lambda: NOW).claim()
    assert {batch.project_id for batch, _ in claimed} == {loud, quiet}
    assert len(claimed) < 500


def test_one_insert_takes_no_more_than_it_may() -> None:
    project_id = uuid.uuid4()
    trace_id = made.trace_id()
    large = [
        arrived.arrival(
            project_id,
            *(made.span(project_id, trace_id, n) for n in range(1, writer.MAX_ROWS // 4)),
        )
        for _ in range(6)
    ]
    spool(*large)
    claimed = Drainer(lambda: NOW).claim()
    assert sum(batch.rows for batch, _ in claimed) <= writer.MAX_ROWS
    assert len(claimed) == 4


def test_what_failed_with_others_is_tried_alone() -> None:
    project_id = uuid.uuid4()
    spool(*(arrived.arrival(project_id) for _ in range(3)))
    SpoolBatch.objects.update(attempts=leases.ALONE_AFTER_ATTEMPTS)
    assert [len(claimed) for claimed in _all_claims()] == [1, 1, 1]


def _all_claims() -> Sequence[object]:
    drainer, found = Drainer(lambda: NOW), []
    while claimed := drainer.claim():
        found.append(claimed)
    return found


def test_damage_is_put_aside_with_its_reason_and_stops_nobody() -> None:
    project_id = uuid.uuid4()
    spool(arrived.arrival(project_id), arrived.arrival(project_id))
    damaged = SpoolBatch.objects.first()
    assert damaged is not None
    SpoolBatch.objects.filter(pk=damaged.pk).update(content=os.urandom(50))
    assert drain.drain() == 1
    [left] = SpoolBatch.objects.all()
    assert left.pk == damaged.pk
    assert "cannot be read" in left.last_error


def test_without_the_engine_nothing_is_claimed(store: EngineProcess) -> None:
    spool(arrived.arrival(uuid.uuid4()))
    store.stop()
    try:
        assert drain.drain() == 0
    finally:
        store.start()
    [waiting] = SpoolBatch.objects.all()
    assert (waiting.attempts, waiting.lease_owner) == (0, None)


def test_an_engine_that_goes_while_draining_gets_the_rest_when_it_is_back(
    store: EngineProcess,
) -> None:
    project_id = uuid.uuid4()
    spool(arrived.arrival(project_id))
    drainer = Drainer()
    claimed = drainer.claim()
    store.stop()
    try:
        with pytest.raises(Exception, match="cannot be reached"):
            drainer.store(claimed)
        leases.give_back(drainer.owner, "it went away")
    finally:
        store.start()
    assert drain.drain() == 1
    assert spans_of(project_id) == (2, 2)


def test_a_drained_file_gives_its_disk_back() -> None:
    from django.db import connections

    project_id = uuid.uuid4()
    noise = os.urandom(500_000).hex()
    spool(arrived.arrival(project_id, made.span(project_id, made.trace_id(), input=noise)))
    file = Path(connections["spool"].settings_dict["NAME"])

    def size() -> int:
        return sum(part.stat().st_size for part in file.parent.glob(f"{file.name}*"))

    assert size() > 1_000_000
    assert drain.drain() == 1
    assert size() < 300_000


def test_a_committed_request_is_synced_to_disk() -> None:
    from django.db import connections

    with connections["spool"].cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone() == (2,)  # FULL
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)


def test_the_depth_says_what_waits() -> None:
    project_id = uuid.uuid4()
    spool(arrived.arrival(project_id), arrived.arrival(project_id))
    spool(arrived.arrival(uuid.uuid4()), at=later())
    found = deposits.depth(project_id)
    assert (found.requests, found.spans, found.oldest) == (2, 4, NOW)
    assert found.bytes > 0
    assert deposits.depth().requests == 3
