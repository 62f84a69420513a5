"""Log records go the way of spans: stored before the answer, spooled while the engine is away."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from tests.traces import arrived
from tests.traces.otlp.test_logs_decoding import TRACE_ID, json_log, json_logs
from traces.ingest import arrivals, ledger
from traces.ingest.arrivals import Arrival
from traces.ingest.door import Door
from traces.models import SpoolBatch
from traces.otlp import decoder
from traces.otlp.arrived import Arrived
from traces.semconv import log_records
from traces.spool import drain
from traces.store import client
from traces.store.engine.process import EngineProcess
from traces.store.reader import SpanReader

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "spool"])


def of(project_id: uuid.UUID, body: bytes) -> Arrival:
    decoded = decoder.decode(body, "json", "logs")
    received_ns = arrived.clock()
    sent = Arrived(
        spans=(),
        logs=log_records.of(decoded.records, project_id=project_id, received_ns=received_ns),
        signal="logs",
        rejected=decoded.rejected,
        received_ns=received_ns,
        encoding="json",
        content_encoding="",
        compressed_bytes=len(body),
        body_bytes=len(body),
    )
    return arrivals.of(sent, key_id=arrived.KEY_ID, project_id=project_id, retention_days=0)


def send(*arrivals: Arrival) -> None:
    async def together() -> None:
        door = Door()
        await asyncio.gather(*(door.write(arrival) for arrival in arrivals))

    asyncio.run(together())


@pytest.mark.usefixtures("store")
def test_logs_and_spans_of_one_moment_are_stored_together() -> None:
    project_id = uuid.uuid4()
    sent = [of(project_id, json_logs(json_log(eventName=f"e{n}"))) for n in range(5)]
    spans = [arrived.arrival(project_id) for _ in range(5)]
    send(*(one for pair in zip(sent, spans, strict=True) for one in pair))
    names = {log.event_name for log in SpanReader(project_id).logs(TRACE_ID)}
    assert names == {f"e{n}" for n in range(5)}
    found = ledger.balance(project_id, since_ns=0, until_ns=2**63)
    assert (found.accepted, found.distinct, found.is_good) == (10, 10, True)


@pytest.mark.usefixtures("store")
def test_a_receipt_of_logs_says_why_some_were_rejected() -> None:
    project_id = uuid.uuid4()
    send(of(project_id, json_logs(json_log(), json_log(body=7))))
    [receipt] = client.query(
        "SELECT * FROM receipts WHERE project_id = {p:UUID}", {"p": str(project_id)}
    )
    assert (receipt["kind"], receipt["accepted"], receipt["records"]) == ("logs", 0, 1)
    assert receipt["rejected"] == 1
    assert list(receipt["reasons"]) == ["body: its value is a bare number, not an OTLP value"]


def test_logs_are_spooled_while_the_engine_is_away(store: EngineProcess) -> None:
    project_id = uuid.uuid4()
    store.stop()
    try:
        send(of(project_id, json_logs(json_log())), arrived.arrival(project_id))
        assert SpoolBatch.objects.count() == 2
    finally:
        store.start()
    assert drain.drain() == 2
    [log] = SpanReader(project_id).logs(TRACE_ID)
    assert (log.event_name, log.body, log.attributes) == ("refund.asked", "hello", {"amount": 7})
    assert ledger.balance(project_id, since_ns=0, until_ns=2**63).is_good
