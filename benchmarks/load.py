"""A load of prepared requests from a process of its own, so that its work is not the server's.

`python -m benchmarks.load` reads requests from a file, posts them over some connections at a rate
or without pause, and prints one JSON object: what was answered, and how long each answer took.
"""

from __future__ import annotations

import argparse
import http.client
import json
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.traffic import Request

_HEADER = struct.Struct("<II")  # bytes of the body, spans in it


@dataclass(frozen=True, slots=True)
class Outcome:
    """`latencies` are seconds of the requests answered 200; `spans` those in them."""

    spans: int
    seconds: float
    statuses: dict[int, int]
    latencies: list[float]

    @property
    def spans_a_second(self) -> float:
        return self.spans / self.seconds


def write(requests: Iterable[Request], path: Path) -> None:
    with path.open("wb") as file:
        for request in requests:
            file.write(_HEADER.pack(len(request.body), request.spans))
            file.write(request.body)


def run(
    path: Path, url: str, api_key: str, *, connections: int, seconds: float, rate: float = 0
) -> Outcome:
    """`rate` is requests a second over all connections, 0 for no pause. Ends when the file does."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.load", str(path), url, api_key),
            *("--connections", str(connections), "--seconds", str(seconds), "--rate", str(rate)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    statuses = {int(code): count for code, count in said.pop("statuses").items()}
    return Outcome(statuses=statuses, **said)


class _Load:
    def __init__(self, path: Path, url: str, api_key: str, rate: float) -> None:
        self._file = path.open("rb")
        self._url = url
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
        }
        self._pause = 1 / rate if rate else 0.0
        self._lock = threading.Lock()
        self._sent = 0
        self.spans = 0
        self.statuses: Counter[int] = Counter()
        self.latencies: list[float] = []

    def run(self, connections: int, seconds: float) -> float:
        began = time.monotonic()
        self._began = began
        threads = [
            threading.Thread(target=self._work, args=(began + seconds,)) for _ in range(connections)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.monotonic() - began

    def _next(self) -> tuple[bytes, int, float]:
        with self._lock:
            header = self._file.read(_HEADER.size)
            if not header:
                return b"", 0, 0.0
            size, spans = _HEADER.unpack(header)
            due = self._began + self._sent * self._pause
            self._sent += 1
            return self._file.read(size), spans, due

    def _work(self, deadline: float) -> None:
        where = urlsplit(self._url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=120)
        while time.monotonic() < deadline:
            body, spans, due = self._next()
            if not body:
                return
            time.sleep(max(0.0, due - time.monotonic()) if self._pause else 0.0)
            began = time.monotonic()
            connection.request("POST", "/v1/traces", body, self._headers)
            answer = connection.getresponse()
            answer.read()
            took = time.monotonic() - began
            with self._lock:
                self.statuses[answer.status] += 1
                if answer.status == http.client.OK:
                    self.spans += spans
                    self.latencies.append(took)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("url")
    parser.add_argument("api_key")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=0, help="requests a second; 0: no pause")
    options = parser.parse_args()
    load = _Load(options.path, options.url, options.api_key, options.rate)
    seconds = load.run(options.connections, options.seconds)
    json.dump(
        {
            "spans": load.spans,
            "seconds": seconds,
            "statuses": dict(load.statuses),
            "latencies": load.latencies,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
