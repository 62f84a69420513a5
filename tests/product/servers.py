"""PostgreSQL and Redis of a test's own, in temporary directories, on free ports of loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def postgresql() -> Iterator[str]:
    """Address of an empty database."""
    initdb, pg_ctl = _postgresql_program("initdb"), _postgresql_program("pg_ctl")
    directory = Path(tempfile.mkdtemp(prefix="traceroot-postgresql-"))
    data, port = directory / "data", free_port()
    as_owner: tuple[str, ...] = ()
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        as_owner = ("runuser", "-u", "postgres", "--")
        shutil.chown(directory, "postgres", "postgres")
    options = f"-p {port} -k {directory} -c listen_addresses=127.0.0.1 -c fsync=off"
    try:
        _run(*as_owner, initdb, "-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync",
             "-E", "UTF8", "--locale=C.UTF-8")  # fmt: skip
        _run(*as_owner, pg_ctl, "-w", "-D", str(data), "-o", options,
             "-l", str(directory / "log"), "start")  # fmt: skip
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            _run(*as_owner, pg_ctl, "-w", "-m", "immediate", "-D", str(data), "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def redis() -> Iterator[str]:
    program = shutil.which("redis-server") or missing("redis-server")
    port = free_port()
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


def missing(what: str) -> str:
    message = f"{what} is not installed; `make test` installs it when root on Debian"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message)
    pytest.skip(message)


def _postgresql_program(name: str) -> str:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(installed[-1]) if installed else shutil.which(name)
    return found or missing(f"PostgreSQL ({name})")


def _run(*command: str) -> None:
    # Not captured through a pipe: the server that pg_ctl leaves running would hold it open.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
            cwd="/", check=False,
        )  # fmt: skip
        said.seek(0)
        assert done.returncode == 0, said.read().decode(errors="replace")
