"""The whole way of a request in one process: it returns when it may be acknowledged."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from tests.traces import arrived
from traces.ingest.arrivals import Arrival
from traces.ingest.door import Door
from traces.models import SpoolBatch
from traces.otlp.decoded import Rejection
from traces.spool import drain
from traces.store import client
from traces.store.engine.process import EngineProcess
from traces.store.errors import StoreUnavailable

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "spool"])


def send(*arrivals: Arrival) -> list[BaseException | None]:
    async def together() -> list[BaseException | None]:
        door = Door()
        done = await asyncio.gather(*(door.write(a) for a in arrivals), return_exceptions=True)
        return list(done)

    return asyncio.run(together())


def count(table: str, project_id: uuid.UUID) -> int:
    sql = f"SELECT count() AS n FROM {table} WHERE project_id = {{p:UUID}}"
    return int(client.query(sql, {"p": str(project_id)})[0]["n"])


@pytest.mark.usefixtures("store")
def test_rows_and_receipt_are_there_on_return() -> None:
    project_id = uuid.uuid4()
    assert send(*(arrived.arrival(project_id) for _ in range(20))) == [None] * 20
    assert (count("spans", project_id), count("receipts", project_id)) == (40, 20)


@pytest.mark.usefixtures("store")
def test_a_request_of_rejected_spans_leaves_a_receipt_with_reasons() -> None:
    project_id = uuid.uuid4()
    rejected = [
        Rejection("span 'a: b' (00ff): trace id is all zeros", 2),
        Rejection("span (unnamed): trace id is all zeros", 1),
        Rejection('span "it\'s": trace id has 3 bytes, not 16', 1),
    ]
    assert send(arrived.empty(project_id, rejected=rejected)) == [None]
    [found] = client.query(
        "SELECT * FROM receipts WHERE project_id = {p:UUID}", {"p": str(project_id)}
    )
    assert found["rejected"] == 4
    assert found["reasons"] == {"trace id is all zeros": 3, "trace id has 3 bytes, not 16": 1}
    assert found["samples"][0] == "span 'a: b' (00ff): trace id is all zeros"


def test_an_empty_request_needs_no_engine() -> None:
    assert send(arrived.empty(uuid.uuid4())) == [None]


def test_an_outage_is_no_error_for_the_sender(store: EngineProcess) -> None:
    project_id = uuid.uuid4()
    store.stop()
    try:
        assert send(*(arrived.arrival(project_id) for _ in range(10))) == [None] * 10
        assert SpoolBatch.objects.count() == 10
    finally:
        store.start()
    assert drain.drain() == 10
    assert (count("spans", project_id), count("receipts", project_id)) == (20, 10)


def test_without_engine_and_room_the_sender_is_told(store: EngineProcess, settings: object) -> None:
    settings.SPOOL_MAX_BYTES = 10  # type: ignore[attr-defined]
    store.stop()
    try:
        [outcome] = send(arrived.arrival(uuid.uuid4()))
    finally:
        store.start()
    assert isinstance(outcome, StoreUnavailable)
