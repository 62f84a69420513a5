"""Log records in the real engine: as they were sent, once however often they are sent."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from traces.logs import Log, RawLog
from traces.otlp import decoded
from traces.semconv import log_records
from traces.store import client, log_rows, writer
from traces.store.reader import SpanReader

pytestmark = pytest.mark.usefixtures("store")
TRACE = bytes(range(1, 17))
NOW = 1_790_000_000 * 10**9


def raw(**fields: Any) -> RawLog:
    known: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": b"12345678",
        "time_ns": NOW,
        "observed_ns": NOW + 5,
        "severity_number": 9,
        "severity_text": "INFO",
        "event_name": "refund.asked",
        "body": "hello",
        "attributes": {"a": "text", "n": 2**63 - 1, "f": 0.5, "deep": {"list": [1, b"\0", None]}},
        "flags": 1,
        "dropped_attributes": 2,
        "resource": decoded.resource({"service.name": "support"}),
        "scope": decoded.scope("acme", "1", {"k": True}),
    }
    return RawLog(**{**known, **fields})


def store(project_id: uuid.UUID, *raws: RawLog, received_ns: int = NOW) -> list[Log]:
    logs = log_records.of(raws, project_id=project_id, received_ns=received_ns)
    writer.insert([log_rows.to_batch(logs, project_id=project_id, received_ns=received_ns)])
    return logs


def test_what_is_read_is_what_was_written() -> None:
    project_id = uuid.uuid4()
    bodies: list[Any] = ["hello", "", None, {"n": 2**60, "x": [True, 0.5, b"\1"]}, 7]
    written = store(project_id, *(raw(body=body, time_ns=NOW + n) for n, body in enumerate(bodies)))
    assert SpanReader(project_id).logs(TRACE) == written
    assert [log.body for log in written] == bodies


def test_a_record_that_is_sent_again_is_shown_once() -> None:
    project_id = uuid.uuid4()
    for later in (0, 1, 10**9):
        store(project_id, raw(), raw(span_id=b"other678"), received_ns=NOW + later)
    reader = SpanReader(project_id)
    assert len(reader.logs(TRACE)) == 2
    assert [log.span_id for log in reader.span_logs(TRACE, b"12345678")] == [b"12345678"]
    client.command("OPTIMIZE TABLE logs FINAL")
    [row] = client.query(
        "SELECT count() AS n FROM logs WHERE project_id = {p:UUID}", {"p": str(project_id)}
    )
    assert row["n"] == 2


def test_records_of_others_are_not_read() -> None:
    project_id = uuid.uuid4()
    store(project_id, raw(), raw(trace_id=b"\1" * 16), raw(trace_id=b"", span_id=b""))
    assert len(SpanReader(project_id).logs(TRACE)) == 1
    assert SpanReader(uuid.uuid4()).logs(TRACE) == []


def test_hostile_clocks_find_their_place() -> None:
    project_id = uuid.uuid4()
    store(
        project_id,
        raw(time_ns=2**64 - 1, severity_number=-(2**31)),
        raw(time_ns=0, observed_ns=0),
        raw(time_ns=1, severity_number=2**31 - 1),
    )
    found = SpanReader(project_id).logs(TRACE)
    assert sorted(log.time_ns for log in found) == [0, 1, 2**64 - 1]
    assert {log.severity_number for log in found} == {0, 9, 255}


def test_text_without_a_utf8_form_is_mended() -> None:
    project_id = uuid.uuid4()
    [log] = log_records.of([raw()], project_id=project_id, received_ns=NOW)
    log.body, log.attributes = "a\ud800", {"\ud800": "\udc00"}
    writer.insert([log_rows.to_batch([log], project_id=project_id, received_ns=NOW)])
    [found] = SpanReader(project_id).logs(TRACE)
    assert (found.body, found.attributes) == ("a\ufffd", {"\ufffd": "\ufffd"})


def test_every_column_that_is_written_exists_with_its_type() -> None:
    found = client.query(
        "SELECT name, type FROM system.columns"
        " WHERE database = currentDatabase() AND table = 'logs'"
    )
    types = {row["name"]: row["type"] for row in found}
    for name, type_ in zip(log_rows.NAMES, log_rows.TYPES, strict=True):
        assert types[name] == type_
