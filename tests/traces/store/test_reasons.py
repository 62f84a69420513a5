"""What is said of an engine that fails: the reason, short, without the driver's addresses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from django.test.utils import override_settings

from traces.store import client
from traces.store.engine.process import EngineProcess
from traces.store.errors import StoreRejected, StoreUnavailable

Behave = Callable[[socket.socket], None]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening
    client.forget()


def said_of(listener: socket.socket) -> str:
    client.forget()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with (
        override_settings(CLICKHOUSE_URL=url, CLICKHOUSE_QUERY_SECONDS=-9),  # answers within 1 s
        pytest.raises(StoreUnavailable) as raised,
    ):
        client.query("SELECT 1")
    return str(raised.value)


def answer_with(listener: socket.socket, behave: Behave) -> None:
    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                behave(connection)

    threading.Thread(target=serve, daemon=True).start()


def hang_up(connection: socket.socket) -> None:
    """After all that was sent is read: closing over unread bytes is a reset instead."""
    connection.settimeout(0.2)
    with suppress(TimeoutError):
        while connection.recv(65_536):
            pass


def test_nobody_listens(listener: socket.socket) -> None:
    listener.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert said_of(free) == "The trace store cannot be reached: Connection refused"


def test_it_hangs_up(listener: socket.socket) -> None:
    answer_with(listener, hang_up)
    said = said_of(listener)
    assert said == (
        "The trace store cannot be reached: Remote end closed connection without response"
    )


def test_it_does_not_answer(listener: socket.socket) -> None:
    assert said_of(listener) == "The trace store cannot be reached: timed out"


def test_its_own_words_stay_without_what_the_driver_adds(store: EngineProcess) -> None:
    with pytest.raises(StoreRejected) as raised:
        client.query("SELECT absent FROM system.one")
    said = str(raised.value)
    assert said.startswith("Code: 47. DB::Exception: ")
    assert "absent" in said
    assert "http" not in said
    assert store.url not in said
