"""What large and refused requests leave behind in the receiver's memory: next to nothing."""

from __future__ import annotations

import gzip
import json
import platform
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest

from tests.product import otlp, processes
from tests.product.running import Product

pytestmark = [
    pytest.mark.xdist_group("product"),
    pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="holds for glibc's allocator"),
]
MIB = 1024**2
# Room for what a process learns at its first requests (imports, caches), and one small heap.
LEFT_BEHIND_BYTES = 64 * MIB
GZIP = {"Content-Encoding": "gzip"}


@dataclass(frozen=True)
class Request:
    content_type: str
    body: bytes = field(repr=False)
    deserves: int
    headers: Mapping[str, str] = field(default_factory=dict)


def spans(count: int, text: str) -> bytes:
    trace_id = otlp.new_trace_id()
    made = (otlp.span(trace_id, f"step {n}", input__value=text) for n in range(count))
    return json.dumps(otlp.request(*made)).encode()


def test_large_and_refused_requests_leave_no_memory_behind(product: Product) -> None:
    key = product.create_project("Memory", "Large requests", "ada@example.com")["api_key"]
    receivers = product.all_of("receiver")

    def send(request: Request) -> None:
        answer = httpx.post(
            f"{product.otlp_url}/v1/traces",
            content=request.body,
            headers={
                "Authorization": f"Bearer {key}",
                "Content-Type": request.content_type,
                **request.headers,
            },
            timeout=60,
        )
        # Of so many large ones at once some may be told to come again.
        assert answer.status_code in {request.deserves, 503}, answer.text

    send(Request("application/json", spans(10, "x"), 200))
    base_bytes = sum(map(processes.pss_bytes, receivers))
    large = [
        Request("application/x-protobuf", gzip.compress(bytes(200 * MIB)), 413, GZIP),
        Request("application/json", gzip.compress(b"[" + b" " * (63 * MIB)), 400, GZIP),
        Request("application/x-protobuf", b"\xff" * (15 * MIB), 400),
        Request("application/json", b'{"resourceSpans":' + b" " * (15 * MIB), 400),
        Request("application/json", gzip.compress(spans(1_500, "y" * 9_000)), 200, GZIP),
    ]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(send, large * 5))
    time.sleep(2)
    assert sum(map(processes.pss_bytes, receivers)) - base_bytes < LEFT_BEHIND_BYTES
