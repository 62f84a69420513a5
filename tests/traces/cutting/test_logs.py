"""Log records over the limits: cut with a mark, read from the whole, stored under the same id."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from pytest_django import Settings

from traces.cutting import spans as cutting
from traces.ingest import arrivals
from traces.otlp import decoder
from traces.otlp.arrived import Arrived
from traces.semconv import log_records
from traces.store import log_rows, writer
from traces.store.client import query

LIMIT = 2_000


@pytest.fixture(autouse=True)
def small(settings: Settings) -> None:
    settings.INGEST_MAX_VALUE_CHARS = LIMIT
    settings.INGEST_MAX_SPAN_CHARS = 3 * LIMIT
    settings.INGEST_MAX_ATTRIBUTES = 5
    settings.INGEST_MAX_KEY_CHARS = 50


def arrival(project_id: uuid.UUID, *records: dict[str, Any], **resource: Any) -> arrivals.Arrival:
    scope = {"scope": {"name": "s", "attributes": []}, "logRecords": list(records)}
    attributes = [{"key": key, "value": value} for key, value in resource.items()]
    group = {"resource": {"attributes": attributes}, "scopeLogs": [scope]}
    body = json.dumps({"resourceLogs": [group]}).encode()
    decoded = decoder.decode(body, "json", "logs")
    assert not decoded.rejected
    logs = log_records.of(decoded.records, project_id=project_id, received_ns=5)
    arrived = Arrived(
        spans=(), logs=logs, signal="logs", rejected=(), received_ns=5, encoding="json",
        content_encoding="", compressed_bytes=len(body), body_bytes=len(body),
    )  # fmt: skip
    return arrivals.of(arrived, key_id=uuid.uuid4(), project_id=project_id, retention_days=0)


def text(value: str) -> dict[str, str]:
    return {"stringValue": value}


def test_a_record_within_the_limits_is_as_it_was_sent() -> None:
    pairs = [{"key": f"k{n}", "value": text("v" * 300)} for n in range(5)]
    whole = arrival(uuid.uuid4(), {"body": text("b" * LIMIT), "attributes": pairs})
    assert whole.receipt.truncated == 0
    batch = whole.batch
    assert batch.column("body") == ["b" * LIMIT]
    assert batch.column("attributes_string") == [{f"k{n}": "v" * 300 for n in range(5)}]
    assert batch.column("dropped_attributes") == [0]


def test_what_is_too_long_or_too_much_is_cut_and_says_so() -> None:
    pairs = [{"key": "k" * 60, "value": text("v" * 9_000)}]
    pairs += [{"key": f"k{n}", "value": text("short")} for n in range(9)]
    project = uuid.uuid4()
    sent = {"body": text("b" * 50_000), "attributes": pairs, "droppedAttributesCount": 2}
    assert arrival(project, sent, {"body": text("small")}).receipt.truncated == 1
    both = arrival(project, sent, {"body": text("small")}, note=text("r" * 9_000))
    assert both.receipt.truncated == 2
    batch = both.batch
    [body, small] = batch.column("body")
    assert body.endswith("… [cut: 50,000 characters in all]")
    assert len(body) <= LIMIT
    assert small == "small"
    [kept, none] = batch.column("attributes_string")
    assert len(kept) == 5
    assert none == {}
    longest = next(iter(kept))
    assert (len(longest), longest[:3]) == (50, "kkk")
    assert kept[longest].endswith("… [cut: 9,000 characters in all]")
    assert batch.column("dropped_attributes") == [2 + 5, 0]
    assert all(len(one) < 2 * LIMIT for one in batch.column("resource_json"))


def test_a_structured_body_stays_one() -> None:
    entries = [{"key": f"m{n}", "value": text("x" * 900)} for n in range(20)]
    batch = arrival(uuid.uuid4(), {"body": {"kvlistValue": {"values": entries}}}).batch
    [exact] = batch.column("body_json")
    assert len(exact) <= LIMIT
    assert "… [cut: 900 characters in all]" in exact
    assert len(json.loads(exact)["kvlistValue"]["values"]) > 1


@pytest.mark.usefixtures("store")
def test_it_is_stored_once_and_found_by_what_was_read_of_the_whole() -> None:
    project = uuid.uuid4()
    sent = {
        "body": text("b" * 50_000),
        "timeUnixNano": "7",
        "attributes": [{"key": "session.id", "value": text("the session")}],
    }
    for _ in range(2):
        writer.insert([arrival(project, sent).batch])
    rows = query(
        f"SELECT uniqExact(log_id) AS ids, any(session_id) AS session, max(length(body)) AS size"
        f" FROM {log_rows.TABLE} WHERE project_id = {{p:UUID}}",
        {"p": str(project)},
    )
    assert (rows[0]["ids"], rows[0]["session"]) == (1, "the session")
    assert rows[0]["size"] <= LIMIT + 10


def test_large_resources_are_not_kept_in_memory() -> None:
    """Each is another one, and what is remembered of the small would hold them for ever."""
    before = cutting._fitted_resource.cache_info().currsize
    for n in range(3):
        arrival(uuid.uuid4(), {"body": text("b")}, **{f"k{n}": text("v" * 300_000)})
    assert cutting._fitted_resource.cache_info().currsize == before


def test_what_many_records_share_is_cut_once_for_all() -> None:
    records = [{"body": text(f"b{n}")} for n in range(20)]
    batch = arrival(uuid.uuid4(), *records, k=text("v" * 300_000)).batch
    assert len(set(batch.column("resource_json"))) == 1
    assert len(batch.column("resource_json")[0]) < 2 * LIMIT
