"""The connection to the engine: addresses, errors by kind, limits."""

from __future__ import annotations

import gc
import weakref

import pytest
from pytest_django import Settings

from traces.store import client
from traces.store.engine.process import EngineProcess
from traces.store.errors import QueryTooLarge, StoreRejected, StoreUnavailable


def test_without_an_engine_the_message_says_what_to_do(
    settings: Settings, tmp_path: object
) -> None:
    settings.DATA_DIR = tmp_path
    with pytest.raises(StoreUnavailable, match="make run"):
        client.query("SELECT 1")
    assert not client.is_reachable()


def test_an_engine_that_went_down_is_unavailable_and_its_return_is_noticed(
    store: EngineProcess,
) -> None:
    assert client.query("SELECT 1 AS one") == [{"one": 1}]
    store.stop()
    try:
        with pytest.raises(StoreUnavailable):
            client.query("SELECT 1")
        with pytest.raises(StoreUnavailable):
            client.insert("schema_migrations", [["x"], ["y"]], ["name", "checksum"], ["String"] * 2)
        assert not client.is_reachable()
    finally:
        store.start()
    assert client.query("SELECT 1 AS one") == [{"one": 1}]


@pytest.mark.usefixtures("store")
def test_questions_that_are_too_large_say_so() -> None:
    with pytest.raises(QueryTooLarge, match="shorter time range"):
        client.query("SELECT sum(cityHash64(number)) FROM numbers(100000000000)", seconds=0.2)


@pytest.mark.usefixtures("store")
def test_a_wrong_statement_is_rejected() -> None:
    with pytest.raises(StoreRejected):
        client.query("SELECT nonsense FROM nowhere")
    with pytest.raises(StoreRejected):
        client.command("DROP TABLE nowhere")


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("value", [2**70, "text", None, "\ud800"])
def test_a_value_that_fits_no_column_is_rejected_and_not_called_an_outage(value: object) -> None:
    with pytest.raises(StoreRejected):
        client.insert("spans", [[value]], ["start_ns"], ["UInt64"])


@pytest.mark.usefixtures("store")
def test_an_insert_keeps_nothing_of_its_rows() -> None:
    """The driver's context refers to itself; rows must not wait for the garbage collector."""

    class Text(str):
        """A plain string cannot be watched."""

    client.command("CREATE TABLE kept_nothing (name String) ENGINE = Memory")
    text = Text("row")
    watched = weakref.ref(text)
    columns = [[text]]
    gc.disable()
    try:
        client.insert("kept_nothing", columns, ["name"], ["String"])
        assert columns == [["row"]]  # the caller's own are left alone
        del text, columns
        assert watched() is None
    finally:
        gc.enable()
        client.command("DROP TABLE kept_nothing")
