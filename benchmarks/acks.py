"""How long a sender waits for its 200, and what happens when too many send.

Latency at 20 % of the promised load (10 requests of 200 spans a second over 4 connections, 20 s),
beside a request without spans; requests of one span over 256 connections, beside GET /livez; and
overload: 16 connections without pause for 20 s, the receiver's peak memory and whether what was
answered 200 is stored.
"""

from __future__ import annotations

import http.client
import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import load, traffic
from benchmarks.figures import Figure, quantile
from benchmarks.load import Outcome
from tests.product import processes
from tests.product.running import Product
from traces.store import client

_RATE = 10.0
_SECONDS = 20.0
_SINGLE_CONNECTIONS = 256
_SINGLE_REQUESTS = 40_000
_MIB = 1024 * 1024


def run(product: Product) -> Sequence[Figure]:
    _waited_for(product, _prepared(product, "warm", 1, 50, 200), connections=4, seconds=10)
    return [*_latency(product), _singles(product), _overload(product)]


def _latency(product: Product) -> Iterator[Figure]:
    path = _prepared(product, "acks", 2, int(_RATE * _SECONDS), traffic.SPANS_A_REQUEST)
    found = _waited_for(product, path, connections=4, seconds=2 * _SECONDS, rate=_RATE)
    empty = _empty_requests(product)
    for name, share, target in (("p50", 0.5, 60), ("p99", 0.99, 400)):
        yield Figure(
            f"ack latency {name} at {_RATE * traffic.SPANS_A_REQUEST:,.0f} spans/s",
            quantile(found.latencies, share) * 1000,
            "ms",
            "a request without spans",
            quantile(empty, share) * 1000,
            target=target,
        )


def _singles(product: Product) -> Figure:
    path = _prepared(product, "singles", 3, _SINGLE_REQUESTS, 1)
    found = _waited_for(product, path, connections=_SINGLE_CONNECTIONS, seconds=_SECONDS)
    return Figure(
        "requests of one span",
        found.statuses.get(200, 0) / found.seconds,
        "requests/s",
        "GET /livez, one connection",
        _livez(product),
        target=800,
    )


def _overload(product: Product) -> Figure:
    path = _prepared(product, "overload", 4, 2_000, traffic.SPANS_A_REQUEST)
    before = _stored(product)
    found = _waited_for(product, path, connections=16, seconds=_SECONDS)
    receivers = [pid for pid in product.pids if processes.role(pid) == "receiver"]
    stored = _stored(product) - before
    if stored < found.spans:
        raise AssertionError(f"{found.spans} acknowledged, {stored} stored")
    print(f"  overload: {found.spans_a_second:,.0f} spans/s acknowledged, all stored", flush=True)
    return Figure(
        f"peak memory of {len(receivers)} receiver processes at overload",
        sum(_memory(one, "VmHWM") for one in receivers) / _MIB,
        "MiB",
        "after it",
        sum(_memory(one, "VmRSS") for one in receivers) / _MIB,
        target=600,
    )


def _prepared(product: Product, name: str, seed: int, count: int, spans: int) -> Path:
    path = product.data_dir.parent / f"{name}.bin"
    load.write(itertools.islice(traffic.requests(seed, spans=spans), count), path)
    return path


def _waited_for(
    product: Product, path: Path, *, connections: int, seconds: float, rate: float = 0
) -> Outcome:
    found = load.run(
        path,
        product.otlp_url,
        product.api_key,
        connections=connections,
        seconds=seconds,
        rate=rate,
    )
    print(f"  {path.stem}: answers {found.statuses} in {found.seconds:.0f} s", flush=True)
    return found


def _stored(product: Product) -> int:
    return int(
        client.query(
            "SELECT uniqExact(trace_id, span_id) AS spans FROM spans WHERE project_id = {p:UUID}",
            {"p": product.project_id},
            seconds=300,
        )[0]["spans"]
    )


def _empty_requests(product: Product) -> list[float]:
    headers = {
        "Authorization": f"Bearer {product.api_key}",
        "Content-Type": "application/x-protobuf",
    }
    return list(_times(product, "POST", "/v1/traces", headers, 500))


def _livez(product: Product) -> float:
    """Requests a second."""
    began = time.monotonic()
    count = sum(1 for _ in _times(product, "GET", "/livez", {}, 2_000))
    return count / (time.monotonic() - began)


def _times(
    product: Product, method: str, path: str, headers: dict[str, str], count: int
) -> Iterator[float]:
    """Seconds of each answer, one after the other on one connection."""
    where = urlsplit(product.otlp_url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    for _ in range(count):
        began = time.monotonic()
        connection.request(method, path, b"" if method == "POST" else None, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.client.OK:
            raise AssertionError(f"{path} answered {answer.status}")
        yield time.monotonic() - began


def _memory(pid: int, field: str) -> int:
    """Bytes, as the kernel says."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise AssertionError(f"no {field} of {pid}")
