"""Sustained ingest through the shipped server, everything on, beside its floors: inserting the same
rows straight into the engine, and parsing the same protobuf.

Gzipped protobuf in requests of 200 spans over 64 connections, 60 s without pause, settling and
checks behind. Reports spans/s, CPU by process, stored against acknowledged.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks import load, traffic
from benchmarks.figures import Figure
from tests.product import processes
from tests.product.running import Product
from traces.otlp import decoder, encoding
from traces.semconv import normalize
from traces.store import client, rows

SECONDS = float(os.environ.get("TRACEROOT_BENCHMARK_SECONDS", "60"))
CONNECTIONS = 64
_MOST_SPANS_A_SECOND = 25_000
_FLOOR_SECONDS = 10.0
_ROWS_AN_INSERT = 2_000
_LIMIT = 64 * 1024 * 1024


def run(product: Product) -> Sequence[Figure]:
    return measure(product, spans_a_second=10_000, microseconds=160)


def measure(
    product: Product,
    *,
    seed: int = 1,
    spans_a_second: float | None = None,
    microseconds: float | None = None,
) -> Sequence[Figure]:
    """With the promises that hold for it, where any do. Another seed is another traffic, with ids
    of its own.
    """
    known = _stored(product)
    path = product.data_dir.parent / f"traffic-{seed}.bin"
    count = int(SECONDS * _MOST_SPANS_A_SECOND / traffic.SPANS_A_REQUEST)
    _prepare(path, count, seed)
    before = _cpu_seconds(product)
    outcome = load.run(
        path, product.otlp_url, product.api_key, connections=CONNECTIONS, seconds=SECONDS
    )
    cpu = {role: used - before.get(role, 0.0) for role, used in _cpu_seconds(product).items()}
    stored = _stored(product) - known
    said = f"answers {outcome.statuses}, acknowledged {outcome.spans}, stored {stored}"
    print(f"  {said}", flush=True)
    for role, used in sorted(cpu.items()):
        print(f"  CPU of {role}: {used / outcome.spans * 1e6:.1f} µs a span", flush=True)
    return [
        Figure(
            "sustained ingest",
            outcome.spans_a_second,
            "spans/s",
            "rows inserted straight into the engine",
            _inserting(product),
            target=spans_a_second,
        ),
        Figure(
            "CPU of the server",
            sum(cpu.values()) / outcome.spans * 1e6,
            "µs/span",
            "protobuf parse alone",
            _parsing(),
            target=microseconds,
        ),
    ]


def _stored(product: Product) -> int:
    found = client.query(
        "SELECT uniqExact(trace_id, span_id) AS spans FROM spans WHERE project_id = {p:UUID}",
        {"p": product.project_id},
        seconds=300,
    )
    return int(found[0]["spans"])


def _prepare(path: Path, count: int, seed: int) -> None:
    if path.exists():
        return
    sample = list(itertools.islice(traffic.requests(seed), 20))
    spans = sum(request.spans for request in sample)
    plain = sum(request.plain_bytes for request in sample)
    packed = sum(len(request.body) for request in sample)
    print(
        f"  traffic: {plain / spans:,.0f} bytes a span, {packed / spans:,.0f} gzipped, "
        f"ratio {plain / packed:.1f}; preparing {count:,} requests",
        flush=True,
    )
    load.write(itertools.islice(traffic.requests(seed), count), path)


def _cpu_seconds(product: Product) -> dict[str, float]:
    """User and system time by role; the processes' children count when they have ended."""
    used: dict[str, float] = {}
    for pid in product.pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        role = processes.role(pid)
        ticks = sum(int(field) for field in fields[11:15])
        used[role] = used.get(role, 0.0) + ticks / os.sysconf("SC_CLK_TCK")
    return used


def _inserting(product: Product) -> float:
    """Rows a second of the same kind from prepared columns, two INSERTs at a time as the server."""
    batches = [_columns(product, seed) for seed in range(2, 8)]
    deadline = time.monotonic() + _FLOOR_SECONDS
    stored = [0, 0]

    def work(which: int) -> None:
        for columns, names, types in itertools.cycle(batches[which::2]):
            if time.monotonic() > deadline:
                return
            client.insert("spans", columns, names, types)
            stored[which] += len(columns[0])

    began = time.monotonic()
    threads = [threading.Thread(target=work, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(stored) / (time.monotonic() - began)


def _columns(product: Product, seed: int) -> tuple[list[list[object]], list[str], list[str]]:
    spans = []
    for request in itertools.islice(traffic.requests(seed), _ROWS_AN_INSERT // 200):
        decoded = decoder.decode(encoding.decompress(request.body, "gzip", _LIMIT), "protobuf")
        spans += normalize.spans(
            decoded.spans, project_id=UUID(product.project_id), received_ns=time.time_ns()
        )
    return rows.to_columns(spans, [0] * len(spans))


def _parsing() -> float:
    """µs of CPU a span."""
    bodies = [
        encoding.decompress(request.body, "gzip", _LIMIT)
        for request in itertools.islice(traffic.requests(9), 50)
    ]
    began = time.process_time()
    for body in bodies:
        ExportTraceServiceRequest.FromString(body)
    return (time.process_time() - began) / (len(bodies) * traffic.SPANS_A_REQUEST) * 1e6
