"""One INSERT of batches: complete or an error, within the engine's limits, counted."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.traces import arrived, made
from traces.spans import Usage
from traces.store import batches, client, writer
from traces.store.batches import Batch
from traces.store.engine.process import EngineProcess
from traces.store.errors import StoreRejected, StoreUnavailable
from traces.store.reader import SpanReader

WEEK_NS = 604_800 * 10**9


def batch(project_id: uuid.UUID, retention: int = 0, spans: int = 2) -> Batch:
    trace_id = made.trace_id()
    found = [made.span(project_id, trace_id, n + 1) for n in range(spans)]
    return arrived.arrival(project_id, *found, retention_days=retention).batch


def stored(project_id: uuid.UUID) -> int:
    found = client.query(
        "SELECT count() AS n FROM spans WHERE project_id = {p:UUID}", {"p": str(project_id)}
    )
    return int(found[0]["n"])


def inserts_of(project_id: uuid.UUID) -> int:
    """How many INSERTs brought the project's spans: each has its own instant of storing."""
    found = client.query(
        "SELECT uniqExact(stored_at) AS n FROM spans WHERE project_id = {p:UUID}",
        {"p": str(project_id)},
    )
    return int(found[0]["n"])


@pytest.mark.usefixtures("store")
def test_batches_of_many_requests_are_one_insert_with_every_row() -> None:
    project_id = uuid.uuid4()
    sent = [batch(project_id) for _ in range(30)]
    writer.insert(sent)
    assert stored(project_id) == 60
    assert inserts_of(project_id) == 1


def test_columns_without_a_value_are_left_out() -> None:
    columns = [[0, 0], [0, 1], ["", ""], [None, None], [None, Decimal(0)], [{}, {}], [b"\0", b""]]
    types = ["UInt8", "Bool", "String", "Nullable(UInt8)", "Nullable(Decimal(18, 9))", "Map", "F"]
    names = list("abcdefg")
    kept = batches.without_empty(columns, names, types)
    assert kept == (
        [[0, 1], [None, Decimal(0)], [b"\0", b""]],
        ["b", "e", "g"],
        ["Bool", "Nullable(Decimal(18, 9))", "F"],
    )


@pytest.mark.usefixtures("store")
def test_what_is_left_out_is_read_as_it_was_sent() -> None:
    """Alone, the bare span's empty columns are left out; beside a full one they are written."""
    project_id = uuid.uuid4()
    trace_id, other = made.trace_id(), made.trace_id()
    bare = made.span(project_id, trace_id, 1)
    full = made.span(
        project_id,
        other,
        2,
        agent_name="planner",
        session_id="s1",
        tags=("a",),
        metadata={"k": "v"},
        finish_reasons=("stop",),
        usage=Usage(uncached_input=1, other={"audio": 2.0}),
        reported_cost_usd=Decimal("0.1"),
        first_token_ns=5,
    )
    writer.insert([arrived.arrival(project_id, bare).batch])
    (alone,) = SpanReader(project_id).spans(trace_id)
    writer.insert([arrived.arrival(project_id, bare, full).batch])
    (beside,) = SpanReader(project_id).spans(trace_id)
    assert beside.version > alone.version
    assert replace(beside, version=alone.version, received_ns=alone.received_ns) == alone


@pytest.mark.usefixtures("store")
def test_an_empty_batch_needs_no_engine_and_disturbs_nobody() -> None:
    project_id = uuid.uuid4()
    empty = arrived.empty(project_id).batch
    writer.insert([empty])
    writer.insert([empty, batch(project_id), empty])
    assert stored(project_id) == 2


@pytest.mark.usefixtures("store")
def test_the_engine_counts_the_rows_of_its_views_and_the_writer_knows_how_many(
    caplog: pytest.LogCaptureFixture,
) -> None:
    project_id, other = uuid.uuid4(), uuid.uuid4()
    one, two = batch(project_id, spans=5), batch(project_id, spans=3)
    again = arrived.arrival(project_id, made.span(project_id, one.column("trace_id")[0], 9)).batch
    with caplog.at_level(logging.WARNING, "traces.store.writer"):
        writer.insert([one])
        writer.insert([one, again, two, batch(other), batch(project_id, retention=30)])
    assert caplog.messages == []


@pytest.mark.usefixtures("store")
def test_another_number_of_rows_than_expected_is_said_with_figures(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client.command("CREATE TABLE extra (span_id FixedString(8)) ENGINE = Memory")
    client.command("CREATE MATERIALIZED VIEW extra_writer TO extra AS SELECT span_id FROM spans")
    try:
        with caplog.at_level(logging.WARNING, "traces.store.writer"):
            writer.insert([batch(uuid.uuid4(), spans=4)])
    finally:
        client.command("DROP TABLE extra_writer")
        client.command("DROP TABLE extra")
    assert caplog.messages == ["store.row_count_differs written=13 expected=9 spans=4"]


@pytest.fixture
def without_ledger() -> Iterator[None]:
    """As while an upgrade changes a view: fewer rows than the writer knows of."""
    [row] = client.query("SHOW CREATE TABLE ingested_writer", {})
    client.command("DROP TABLE ingested_writer")
    yield
    client.command(row["statement"])


@pytest.mark.usefixtures("store", "without_ledger")
def test_fewer_rows_than_expected_are_good_only_if_every_span_is_there(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    project_id = uuid.uuid4()
    writer.insert([batch(project_id, spans=4), batch(uuid.uuid4(), spans=3)])
    assert len(caplog.messages) == 1

    def loses_one(table: str, columns: Any, names: Any, types: Any) -> int:
        return insert(table, [column[1:] for column in columns], names, types) + 1

    insert = client.insert
    monkeypatch.setattr(client, "insert", loses_one)
    with pytest.raises(StoreUnavailable, match="holds 3 of 4 spans"):
        writer.insert([batch(project_id, spans=4)])


@pytest.mark.usefixtures("store")
def test_a_row_that_fits_no_column_is_rejected() -> None:
    with pytest.raises(StoreRejected):
        writer.insert([arrived.poisonous(uuid.uuid4()).batch])


def test_an_engine_that_is_down_is_unavailable(store: EngineProcess) -> None:
    store.stop()
    try:
        with pytest.raises(StoreUnavailable):
            writer.insert([batch(uuid.uuid4())])
    finally:
        store.start()


@pytest.mark.usefixtures("store")
def test_a_missing_table_is_no_fault_of_the_rows() -> None:
    with pytest.raises(StoreUnavailable, match="takes no rows"):
        client.insert("nowhere", [["x"]], ["name"], ["String"])
    with pytest.raises(StoreUnavailable, match="takes no rows"):
        client.insert("spans", [["x"]], ["no_such_column"], ["String"])


@pytest.mark.usefixtures("store")
def test_many_retention_classes_and_old_clocks_fit_into_inserts() -> None:
    project_id = uuid.uuid4()
    base = made.span(project_id, made.trace_id()).start_ns
    sent = [
        arrived.arrival(
            project_id,
            *(
                made.span(project_id, made.trace_id(), start_ns=base - week * WEEK_NS)
                for week in range(30)
            ),
            retention_days=days,
        ).batch
        for days in (0, 7, 30, 90, 365, 14)
    ]
    writer.insert(sent)
    assert stored(project_id) == 180
    assert inserts_of(project_id) == 2


def test_portions_keep_order_and_limits() -> None:
    project_id = uuid.uuid4()
    sent = [batch(project_id, spans=3) for _ in range(5)]
    portions = list(batches.portions(sent, 7))
    assert [len(portion) for portion in portions] == [2, 2, 1]
    assert [one for portion in portions for one in portion] == sent
    assert [len(portion) for portion in batches.portions(sent, 1)] == [1] * 5


def test_batches_of_different_columns_share_no_insert() -> None:
    project_id = uuid.uuid4()
    new = batch(project_id)
    old = Batch(project_id, 1, 0, new.names[:-1], new.types[:-1], new.columns[:-1])
    assert [len(portion) for portion in batches.portions([new, old, new], 100)] == [1, 1, 1]


@pytest.mark.usefixtures("store")
def test_the_same_span_sent_twice_is_one_and_the_newest_version_is_shown() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    first = arrived.arrival(project_id, made.span(project_id, trace_id, name="first")).batch
    second = arrived.arrival(project_id, made.span(project_id, trace_id, name="second")).batch
    for sent in (second, first, second):
        writer.insert([sent])
    assert [span.name for span in SpanReader(project_id).spans(trace_id)] == ["second"]
