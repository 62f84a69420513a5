"""Spans a second through the receiver, in gzipped requests of 200, beside inserting the same rows
into the store without any of it.
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Sequence
from uuid import UUID

from benchmarks import agents, sending
from benchmarks.figures import Figure
from tests.product.running import Product
from traces.otlp import decoder
from traces.semconv import normalize
from traces.spans import Span
from traces.store import writer

SPANS_A_REQUEST = 200
REQUESTS = 60
SENDERS = 8
SECONDS = 12.0
ROWS_AN_INSERT = 2_000


def run(product: Product) -> Sequence[Figure]:
    bodies = [
        agents.request(SPANS_A_REQUEST, secrets.token_bytes(16)).SerializeToString()
        for _ in range(REQUESTS)
    ]
    through = _through_receiver(product, [sending.packed(body) for body in bodies])
    direct = _direct(_spans(product, bodies))
    return [Figure("ingest through the receiver", through, "spans/s", "rows inserted", direct)]


def _through_receiver(product: Product, bodies: Sequence[bytes]) -> float:
    """Requests are sent again and again: the store keeps the newest of each, and works as much."""
    turn = itertools.cycle(bodies)
    lock = threading.Lock()
    sent = 0
    failures: list[Exception] = []
    deadline = time.monotonic() + SECONDS

    def work() -> None:
        nonlocal sent
        with sending.client(product) as sender:
            while time.monotonic() < deadline and not failures:
                with lock:
                    body = next(turn)
                try:
                    sending.post(sender, product, body)
                except Exception as error:  # told to the thread that measures
                    failures.append(error)
                    return
                with lock:
                    sent += SPANS_A_REQUEST

    began = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sent / (time.monotonic() - began)


def _spans(product: Product, bodies: Sequence[bytes]) -> list[Span]:
    raws = [raw for body in bodies for raw in decoder.decode(body, "protobuf").spans]
    now_ns = time.time_ns()
    return normalize.spans(raws, project_id=UUID(product.project_id), received_ns=now_ns)


def _direct(spans: Sequence[Span]) -> float:
    stored = 0
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < SECONDS:
        at = stored % len(spans)
        batch = spans[at : at + ROWS_AN_INSERT]
        writer.store(batch, [0] * len(batch))
        stored += len(batch)
    return stored / elapsed
