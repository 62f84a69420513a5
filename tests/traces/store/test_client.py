"""The connection to the engine: addresses, errors by kind, limits."""

from __future__ import annotations

import errno
import gc
import os
import weakref
from contextlib import suppress

import pytest
from pytest_django import Settings

from traces.store import client, handover
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
@pytest.mark.parametrize("rows", [1, 1000])
@pytest.mark.parametrize("value", [2**70, "text", None, "\ud800"])
def test_a_value_that_fits_no_column_is_rejected_and_not_called_an_outage(
    value: object, rows: int
) -> None:
    with pytest.raises(StoreRejected):
        client.insert("spans", [[1] * (rows - 1) + [value]], ["start_ns"], ["UInt64"])


@pytest.mark.usefixtures("store")
def test_rows_that_cannot_be_opened_as_a_file_go_with_the_statement(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client.command("CREATE TABLE without_files (number UInt64) ENGINE = Memory")
    numbers = list(range(1000))
    monkeypatch.setattr(handover, "_is_refused", False)
    monkeypatch.setattr(os, "getpid", lambda: 2**22 + 1)  # as in another container
    assert client.insert("without_files", [numbers], ["number"], ["UInt64"]) == 1000
    assert not handover.is_possible(1000)
    assert "store.files_refused" in caplog.text
    assert client.insert("without_files", [numbers], ["number"], ["UInt64"]) == 1000
    found = client.query("SELECT count() AS n, uniqExact(number) AS u FROM without_files")
    assert found == [{"n": 2000, "u": 1000}]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("reason", ["size", "memory"])
def test_rows_for_which_there_is_no_file_go_with_the_statement(
    monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    def no_memory(name: str) -> int:
        raise OSError(errno.ENOMEM, name)

    client.command(f"CREATE TABLE without_{reason} (number UInt64) ENGINE = Memory")
    if reason == "size":
        monkeypatch.setattr(handover, "_MAX_BYTES", 4000)
    else:
        monkeypatch.setattr(os, "memfd_create", no_memory)
    written = client.insert(f"without_{reason}", [list(range(1000))], ["number"], ["UInt64"])
    assert written == 1000
    found = client.query(f"SELECT sum(number) AS s FROM without_{reason}")
    assert found == [{"s": 499_500}]


@pytest.mark.usefixtures("store")
def test_what_a_file_holds_is_not_remembered_of_an_earlier_one_of_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The engine's cache goes by name and time, and clocks are set back."""
    client.command("CREATE TABLE two_kinds (a UInt64, b UInt64, c UInt64) ENGINE = Memory")

    def write(descriptor: int, context: object) -> None:
        real_write(descriptor, context)  # type: ignore[arg-type]
        os.utime(descriptor, (1, 1))

    real_write = handover._write
    monkeypatch.setattr(handover, "_write", write)
    numbers = list(range(1000))
    for second in ("b", "c", "b"):
        client.insert("two_kinds", [numbers, numbers], ["a", second], ["UInt64"] * 2)
    found = client.query("SELECT sum(a) AS a, sum(b) AS b, sum(c) AS c FROM two_kinds")
    total = sum(numbers)
    assert found == [{"a": 3 * total, "b": 2 * total, "c": total}]


@pytest.mark.usefixtures("store")
def test_files_of_rows_are_closed_whatever_comes_of_them() -> None:
    before = len(os.listdir("/proc/self/fd"))
    client.command("CREATE TABLE closed_files (number UInt64) ENGINE = Memory")
    for value in [1, 1, 2**70, "text"]:
        with suppress(StoreRejected):
            client.insert("closed_files", [[1] * 99 + [value]], ["number"], ["UInt64"])
    with pytest.raises(StoreUnavailable):
        client.insert("no_such_table", [[1] * 99], ["number"], ["UInt64"])
    assert len(os.listdir("/proc/self/fd")) <= before + 1  # a connection may be new


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
