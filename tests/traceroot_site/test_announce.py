"""What the supervisor says of where it runs, and to whom it can still say it."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from traceroot_site.up import announce, terminal

RUNNING = {"url": "http://localhost:8000", "otlp_url": "http://localhost:4318", "pid": 42}
HERE = "http://localhost:8000"


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("wanted_port", "is_told"), [(8000, False), (0, False), (9000, True), (8001, True)]
)
def test_a_second_start_says_that_its_own_port_was_not_taken(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, wanted_port: int, is_told: bool
) -> None:
    announce.already_running(RUNNING, tmp_path, wanted_port)
    text = said(capsys)
    assert f"already running in {tmp_path}: http://localhost:8000" in text
    assert (f"Port {wanted_port} was not taken" in text) is is_told


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_host_that_is_all_addresses_names_this_machine(
    capsys: pytest.CaptureFixture[str], settings: Any, tmp_path: Path, host: str
) -> None:
    settings.PUBLIC_URL = HERE
    announce.ready(host, HERE, "http://localhost:4318", "", tmp_path, None)
    text = said(capsys)
    assert f"TraceRoot is running: {HERE}" in text
    assert f"all addresses of this machine, {socket.gethostname()}." in text
    assert f"TRACEROOT_PUBLIC_URL=http://{socket.gethostname()}:8000" in text


def test_a_public_address_is_named_where_it_is_set(
    capsys: pytest.CaptureFixture[str], settings: Any, tmp_path: Path
) -> None:
    settings.PUBLIC_URL = "https://traces.acme.example"
    announce.ready("0.0.0.0", HERE, "http://localhost:4318", "", tmp_path, None)
    assert "all addresses of this machine; its pages: https://traces.acme.example" in said(capsys)


def test_on_loopback_nothing_is_said_of_other_machines(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    announce.ready("127.0.0.1", HERE, "http://localhost:4318", "", tmp_path, None)
    assert "all addresses" not in said(capsys)


def test_what_nobody_reads_is_dropped() -> None:
    reading, writing = os.pipe()
    with open(writing, "w") as stream:
        terminal.say("heard", stream=stream)
        assert os.read(reading, 100) == b"heard\n"
        os.close(reading)
        for _ in range(3):
            terminal.say("x" * 10_000, stream=stream)
