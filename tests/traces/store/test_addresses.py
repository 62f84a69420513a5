"""Several addresses of one store: the first that answers is asked, a dead one passed over."""

from __future__ import annotations

import socket
import time
import uuid

import pytest
from pytest_django import Settings

from tests.traces import made
from traces.store import addresses, client
from traces.store.engine.process import EngineProcess
from traces.store.errors import QueryTooLarge, StoreRejected, StoreUnavailable


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://clickhouse", ("clickhouse", 8123, "default", "", "default", False)),
        ("https://clickhouse", ("clickhouse", 8443, "default", "", "default", True)),
        ("http://u%40x:p%2Fw@h:9/db", ("h", 9, "u@x", "p/w", "db", False)),
    ],
)
def test_an_address(url: str, expected: tuple[object, ...], settings: Settings) -> None:
    settings.CLICKHOUSE_URL = url
    (found,) = addresses.all_()
    shown = (found.host, found.port, found.username, found.password, found.database)
    assert (*shown, found.is_secure) == expected


def test_the_last_to_fail_is_asked_last(settings: Settings) -> None:
    settings.CLICKHOUSE_URL = "http://one, http://two ,http://three,"
    assert [found.host for found in addresses.in_order()] == ["one", "two", "three"]
    addresses.avoid(addresses.all_()[0])
    assert [found.host for found in addresses.in_order()] == ["two", "three", "one"]
    addresses.forget()
    assert [found.host for found in addresses.in_order()] == ["one", "two", "three"]


def nobody() -> str:
    """An address where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def of(engine: EngineProcess) -> str:
    return f"http://default:{engine.token}@127.0.0.1:{engine.port}"


def test_reads_writes_and_statements_go_on_at_the_next_address(
    store: EngineProcess, settings: Settings
) -> None:
    settings.CLICKHOUSE_URL = f"{nobody()},{of(store)}"
    client.forget()
    try:
        assert client.is_reachable()
        project_id = uuid.uuid4()
        made.stored(made.span(project_id, made.trace_id()))
        counted = "SELECT count() AS spans FROM spans WHERE project_id = {p:UUID}"
        assert client.query(counted, {"p": str(project_id)}) == [{"spans": 1}]
        client.command("SELECT 1")
    finally:
        client.forget()


def test_a_replica_that_dies_and_comes_back_is_passed_over_and_used_again(
    store: EngineProcess, settings: Settings, tmp_path: object
) -> None:
    from pathlib import Path

    second = EngineProcess(Path(str(tmp_path)) / "second", token=uuid.uuid4().hex)
    second.start()
    settings.CLICKHOUSE_URL = f"{of(second)},{of(store)}"
    client.forget()
    named = "SELECT count() AS tables FROM system.tables WHERE name = 'spans'"
    try:
        assert client.query(named) == [{"tables": 0}]  # the first one, which has no tables
        second.kill()
        assert client.query(named) == [{"tables": 1}]
        began = time.monotonic()
        for _ in range(20):
            client.query(named)
        assert time.monotonic() - began < 5  # it is not waited for each time
        second.start()
        client.forget()
        assert client.query(named) == [{"tables": 0}]
    finally:
        client.forget()
        second.stop()


def test_what_is_wrong_with_a_question_is_not_asked_elsewhere(
    store: EngineProcess, settings: Settings
) -> None:
    settings.CLICKHOUSE_URL = f"{of(store)},{nobody()}"
    client.forget()
    try:
        with pytest.raises(StoreRejected):
            client.query("SELECT nonsense FROM nowhere")
        with pytest.raises(QueryTooLarge):
            client.query("SELECT sum(cityHash64(number)) FROM numbers(100000000000)", seconds=0.2)
        assert addresses.in_order()[0].port == store.port
    finally:
        client.forget()


def test_when_nobody_answers_that_is_said(settings: Settings) -> None:
    settings.CLICKHOUSE_URL = f"{nobody()},{nobody()}"
    client.forget()
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        client.query("SELECT 1")
    assert not client.is_reachable()
    client.forget()
