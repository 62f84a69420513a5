"""Where spans go when the engine is well, away, frozen, or refuses a row."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from accounts.models import Project
from tests.product.waiting import until
from tests.traces import arrived, made
from traces.ingest.arrivals import Arrival
from traces.ingest.breaker import Breaker
from traces.ingest.storing import Spooled, Stored, Storing
from traces.models import QuarantinedSpan, SpoolBatch
from traces.spool import drain
from traces.spool.deposits import SpoolFull
from traces.store import client
from traces.store.engine.process import EngineProcess
from traces.store.reader import SpanReader

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "spool"])


@pytest.fixture
def storing() -> Storing:
    return Storing(Breaker(pause_seconds=0.05))


@pytest.fixture
def away(store: EngineProcess) -> Iterator[EngineProcess]:
    """The engine, stopped; it runs again afterwards."""
    store.stop()
    yield store
    if not store.is_running:
        store.start()


def spans_of(project_id: uuid.UUID) -> int:
    found = client.query(
        "SELECT uniqExact(trace_id, span_id) AS n FROM spans WHERE project_id = {p:UUID}",
        {"p": str(project_id)},
    )
    return int(found[0]["n"])


def receipts_of(project_id: uuid.UUID) -> list[dict[str, object]]:
    return client.query(
        "SELECT * FROM receipts FINAL WHERE project_id = {p:UUID} ORDER BY received_ns",
        {"p": str(project_id)},
    )


@pytest.mark.usefixtures("store")
def test_rows_go_to_the_engine_and_the_receipt_after_them(storing: Storing) -> None:
    project_id = uuid.uuid4()
    sent = [arrived.arrival(project_id), arrived.arrival(project_id)]
    assert storing.store(sent) == [Stored(), Stored()]
    assert spans_of(project_id) == 4
    assert receipts_of(project_id) == []
    assert storing.acknowledge(sent) == [None, None]
    assert [row["accepted"] for row in receipts_of(project_id)] == [2, 2]
    assert not SpoolBatch.objects.exists()


def test_without_the_engine_requests_are_spooled_with_their_receipts(
    away: EngineProcess, storing: Storing
) -> None:
    project_id = uuid.uuid4()
    sent = [arrived.arrival(project_id) for _ in range(3)]
    assert storing.store(sent) == [Spooled()] * 3
    assert SpoolBatch.objects.filter(project_id=project_id).count() == 3
    away.start()
    assert drain.drain() == 3
    assert spans_of(project_id) == 6
    assert [(r["accepted"], r["is_spooled"]) for r in receipts_of(project_id)] == [(2, True)] * 3
    assert not SpoolBatch.objects.exists()


def test_an_engine_that_is_away_is_not_asked_for_every_request(
    away: EngineProcess, storing: Storing
) -> None:
    project_id = uuid.uuid4()
    storing.store([arrived.arrival(project_id)])
    began = time.monotonic()
    for _ in range(20):
        assert storing.store([arrived.arrival(project_id)]) == [Spooled()]
    assert time.monotonic() - began < 1.0
    away.start()
    until(lambda: storing.store([arrived.arrival(project_id)]) == [Stored()], "the engine noticed")


def test_a_frozen_engine_holds_nobody_longer_than_the_insert_may_take(
    store: EngineProcess, storing: Storing, settings: Settings
) -> None:
    settings.CLICKHOUSE_INSERT_SECONDS = 2
    project_id = uuid.uuid4()
    sent = [arrived.arrival(project_id), arrived.arrival(project_id)]
    assert storing.store(sent[:0]) == []
    client.insert("schema_migrations", [["x"], ["y"]], ["name", "checksum"], ["String"] * 2)
    os.kill(store.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert storing.store(sent[:1]) == [Spooled()]
        assert time.monotonic() - began < 3.5
        began = time.monotonic()
        assert storing.store(sent[1:]) == [Spooled()]
        assert time.monotonic() - began < 0.5
    finally:
        os.kill(store.pid, signal.SIGCONT)
    # What it was given before it froze it may write after all: twice written is once there.
    assert until(drain.drain, "the engine thawed") == 2
    assert spans_of(project_id) == 4
    trace_id = sent[0].batch.column("trace_id")[0]
    assert len(SpanReader(project_id).spans(trace_id)) == 2


def test_a_receipt_alone_waits_when_the_engine_goes_after_its_spans(
    away: EngineProcess, storing: Storing
) -> None:
    project_id = uuid.uuid4()
    away.start()
    sent = [arrived.arrival(project_id)]
    assert storing.store(sent) == [Stored()]
    away.stop()
    assert storing.acknowledge(sent) == [None]
    [waiting] = SpoolBatch.objects.all()
    assert (waiting.rows, waiting.accepted) == (0, 2)
    away.start()
    assert drain.drain() == 1
    assert [row["accepted"] for row in receipts_of(project_id)] == [2]


def test_a_full_spool_promises_nothing_and_takes_what_still_fits(
    away: EngineProcess, storing: Storing, settings: Settings
) -> None:
    settings.SPOOL_MAX_BYTES = 40_000
    small, large = uuid.uuid4(), uuid.uuid4()
    noise = os.urandom(30_000).hex()
    big = arrived.arrival(large, made.span(large, made.trace_id(), input=noise))
    outcomes = storing.store([arrived.arrival(small), big, arrived.arrival(small)])
    assert isinstance(outcomes[1], SpoolFull)
    assert outcomes[::2] == [Spooled(), Spooled()]
    assert not SpoolBatch.objects.filter(project_id=large).exists()


def test_one_project_cannot_fill_the_spool_for_the_others(
    away: EngineProcess, storing: Storing, settings: Settings
) -> None:
    settings.SPOOL_MAX_BYTES = 100_000
    loud, quiet = uuid.uuid4(), uuid.uuid4()

    def one() -> Arrival:
        noise = os.urandom(5_000).hex()
        return arrived.arrival(loud, made.span(loud, made.trace_id(), input=noise))

    outcomes = [storing.store([one()])[0] for _ in range(30)]
    assert outcomes[0] == Spooled()
    assert isinstance(outcomes[-1], SpoolFull)
    assert storing.store([arrived.arrival(quiet)]) == [Spooled()]


def test_a_disk_that_is_almost_full_takes_nothing(
    away: EngineProcess, storing: Storing, settings: Settings
) -> None:
    settings.SPOOL_MIN_FREE_BYTES = 2**60
    [outcome] = storing.store([arrived.arrival(uuid.uuid4())])
    assert isinstance(outcome, SpoolFull)
    assert "disk" in str(outcome)


@pytest.mark.usefixtures("store")
def test_a_poisonous_row_is_quarantined_alone_and_its_request_acknowledged(
    storing: Storing, project: Project, other_project: Project
) -> None:
    before, after = arrived.arrival(other_project.id), arrived.arrival(other_project.id)
    bad = arrived.poisonous(project.id, good=20, at=13)
    assert storing.store([before, bad, after]) == [Stored(), Stored(quarantined=1), Stored()]
    assert spans_of(other_project.id) == 4
    assert spans_of(project.id) == 20
    [kept] = QuarantinedSpan.objects.for_project(project)
    assert kept.span_id == made.span_id(14).hex()
    assert kept.received_ns == bad.batch.received_ns
    assert kept.reason


def test_a_poisonous_row_in_the_spool_holds_up_nobody(
    away: EngineProcess, storing: Storing, project: Project, other_project: Project
) -> None:
    bad = arrived.poisonous(project.id, good=3)
    storing.store([bad, arrived.arrival(other_project.id), arrived.arrival(project.id)])
    away.start()
    assert drain.drain() == 3
    assert spans_of(other_project.id) == 2
    assert spans_of(project.id) == 5
    assert [row["quarantined"] for row in receipts_of(project.id)] == [1, 0]
    assert QuarantinedSpan.objects.for_project(project).count() == 1


@pytest.mark.usefixtures("store")
def test_quarantined_twice_is_kept_once(storing: Storing, project: Project) -> None:
    bad = arrived.poisonous(project.id)
    assert storing.store([bad]) == storing.store([bad]) == [Stored(quarantined=1)]
    assert QuarantinedSpan.objects.for_project(project).count() == 1


@pytest.mark.usefixtures("store")
def test_poison_of_a_project_that_is_gone_is_dropped_and_stops_nothing(storing: Storing) -> None:
    assert storing.store([arrived.poisonous(uuid.uuid4())]) == [Stored(quarantined=1)]
    assert not QuarantinedSpan.objects.exists()


def test_the_time_of_spooling_is_kept(away: EngineProcess) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    Storing(Breaker(pause_seconds=60), lambda: at).store([arrived.arrival(uuid.uuid4())])
    assert SpoolBatch.objects.get().created_at == at
