"""Side by side with Arize Phoenix in one run: the same requests to each, stored spans a second.

Phoenix is installed, pinned, into an environment of its own, and runs on its default store. It
answers before it has stored, so it is counted until its queue is drained, and its time runs till
then. TRACEROOT_BENCHMARK_PHOENIX names a directory that keeps the environment for the next run.
"""

from __future__ import annotations

import itertools
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load, traffic
from benchmarks.figures import Figure
from tests.product import processes
from tests.product.running import Product

VERSION = "20.26.1"
_REQUESTS_FOR_PHOENIX = 50
_SECONDS = 20.0
_MOST_SPANS_A_SECOND = 25_000
_CONNECTIONS = 16
_READY_SECONDS, _DRAIN_SECONDS, _QUIET_SECONDS = 120.0, 900.0, 10.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class _Stored:
    spans: int
    seconds: float
    cpu_seconds: float

    @property
    def a_second(self) -> float:
        return self.spans / self.seconds

    @property
    def microseconds_a_span(self) -> float:
        return self.cpu_seconds / self.spans * 1e6


def run(product: Product) -> Sequence[Figure]:
    directory = Path(os.environ.get("TRACEROOT_BENCHMARK_PHOENIX", product.data_dir.parent))
    python = _installed(directory)
    path = product.data_dir.parent / "traffic-phoenix.bin"
    count = int(_SECONDS * _MOST_SPANS_A_SECOND / traffic.SPANS_A_REQUEST)
    load.write(itertools.islice(traffic.requests(), count), path)
    ours = _ours(product, path)
    load.write(itertools.islice(traffic.requests(), _REQUESTS_FOR_PHOENIX), path)
    theirs = _theirs(python, product.data_dir.parent / "phoenix", path)
    print(
        f"  Phoenix {VERSION}: {theirs.spans} spans in {theirs.seconds:.0f} s;"
        f" TraceRoot: {ours.spans} in {ours.seconds:.0f} s",
        flush=True,
    )
    return [
        Figure(
            *("stored spans", ours.a_second, "spans/s", f"Phoenix {VERSION}", theirs.a_second),
            target=40 * theirs.a_second,
        ),
        Figure(
            *("CPU", ours.microseconds_a_span, "µs/span", f"Phoenix {VERSION}"),
            theirs.microseconds_a_span,
            target=theirs.microseconds_a_span / 30,
        ),
    ]


def _ours(product: Product, path: Path) -> _Stored:
    before = sum(map(_cpu, product.pids))
    sent = load.run(
        *(path, product.otlp_url, product.api_key), connections=_CONNECTIONS, seconds=_SECONDS
    )
    return _Stored(sent.spans, sent.seconds, sum(map(_cpu, product.pids)) - before)


def _theirs(python: Path, directory: Path, path: Path) -> _Stored:
    with _phoenix(python, directory) as (session, url):
        database = directory / "phoenix.db"
        before, began = sum(map(_cpu, processes.of_session(session))), time.monotonic()
        sent = load.run(path, url, "", connections=_CONNECTIONS, seconds=_DRAIN_SECONDS)
        spans, ended = _drained(database, sent.spans)
        cpu = sum(map(_cpu, processes.of_session(session))) - before
    if spans != sent.spans:
        print(f"  Phoenix answered {sent.statuses} and stored {spans} of {sent.spans} spans")
    return _Stored(spans, ended - began, cpu)


def _drained(database: Path, sent: int) -> tuple[int, float]:
    """Spans stored, and when the last was seen to be."""
    stored, changed_at = 0, time.monotonic()
    while stored < sent and time.monotonic() - changed_at < _QUIET_SECONDS:
        time.sleep(0.2)
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            now = connection.execute("SELECT count(*) FROM spans").fetchone()[0]
        if now != stored:
            stored, changed_at = now, time.monotonic()
    return stored, changed_at


@contextmanager
def _phoenix(python: Path, directory: Path) -> Iterator[tuple[int, str]]:
    """A server on loopback with its own session, and its address."""
    directory.mkdir()
    port, grpc_port = _free_port(), _free_port()
    settings = {
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(grpc_port),
        "PHOENIX_WORKING_DIR": str(directory),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [python, "-m", "phoenix.server.main", "serve"],
            env={**os.environ, **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}/healthz", server, directory / "log")
        yield server.pid, f"http://127.0.0.1:{port}"
    finally:
        processes.kill_all(server.pid)
        server.wait()


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"Phoenix does not answer:\n{log.read_text()[-2000:]}")


def _installed(directory: Path) -> Path:
    """The python of an environment with this version."""
    environment = directory / f"phoenix-{VERSION}"
    python = environment / "bin" / "python"
    if not (environment / "complete").exists():
        print(f"  installing Phoenix {VERSION}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", f"arize-phoenix=={VERSION}"], check=True
        )
        (environment / "complete").touch()
    return python


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


def _cpu(pid: int) -> float:
    """User and system time, s; of children when they have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:  # it has ended
        return 0.0
    return sum(int(field) for field in fields[11:15]) / _TICKS
