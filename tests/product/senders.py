"""Clients that send without pause from several threads and remember what was acknowledged."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.product import otlp

SPANS_PER_REQUEST = 20


@dataclass
class Senders:
    """Each request is a trace of its own. What got no answer is kept, to be sent once more."""

    urls: list[str]
    api_key: str
    make: Callable[[], tuple[str, dict[str, Any]]] = field(default=lambda: run_of_an_agent())
    acknowledged: dict[str, set[str]] = field(default_factory=dict)
    unanswered: dict[str, dict[str, Any]] = field(default_factory=dict)
    unexpected: list[int] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, threads: int) -> None:
        for number in range(threads):
            url = self.urls[number % len(self.urls)]
            self._threads.append(threading.Thread(target=self._run, args=(url,), daemon=True))
            self._threads[-1].start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def send_unanswered(self, url: str) -> None:
        for trace_id, body in list(self.unanswered.items()):
            assert otlp.post(url, self.api_key, body).status_code == 200
            self.acknowledged[trace_id] = span_ids(body)
            del self.unanswered[trace_id]

    def _run(self, url: str) -> None:
        while not self._stop.is_set():
            trace_id, body = self.make()
            try:
                status = otlp.post(url, self.api_key, body, seconds=20).status_code
            except httpx.HTTPError:
                status = 0
            with self._lock:
                if status == 200:
                    self.acknowledged[trace_id] = span_ids(body)
                    continue
                self.unanswered[trace_id] = body
                if status not in {0, 503}:
                    self.unexpected.append(status)
            self._stop.wait(0.05)


def span_ids(body: dict[str, Any]) -> set[str]:
    spans: list[dict[str, Any]] = body["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return {span["spanId"] for span in spans}


def run_of_an_agent() -> tuple[str, dict[str, Any]]:
    trace_id, root = otlp.new_trace_id(), secrets.token_hex(8)
    children = [
        otlp.span(trace_id, f"step {number}", parent=root, note="x" * 500)
        for number in range(SPANS_PER_REQUEST - 1)
    ]
    return trace_id, otlp.request(otlp.span(trace_id, "run", span_id=root), *children)
