"""One project sends what it should not, without pause; how long another waits for its 200."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections import Counter
from multiprocessing.synchronize import Event
from typing import Any

import httpx

from benchmarks.figures import quantile
from benchmarks.soak.shapes import Shape
from tests.product import otlp
from tests.product.senders import run_of_an_agent

_SECONDS = 20.0
_PAUSE = 0.1
_NEIGHBOURS = 4
_KINDS = 5
_LONGEST_RATIO = 4.0
"""Both share two processors and one engine: beside a busy neighbour a request waits for the INSERT
under way and for its share of the processor, not for the neighbour's queue. That makes two to three
times; a queue of 10 MB bodies would make a hundred."""


def run(shape: Shape) -> tuple[str, bool]:
    """What to say, and whether it is wrong."""
    url = shape.otlp_urls[0]
    noisy_key = json.loads(
        shape.manage(
            *("create_project", "--organization", "Globex", "--project", "Noisy"),
            *("--owner-email", "mallory@globex.example"),
        ).stdout
    )["api_key"]
    alone = _latencies(url, shape.api_key)
    # Processes of their own: what they do to make 10 MB must not delay who measures.
    processes = multiprocessing.get_context("spawn")
    stop, said_to_them = processes.Event(), processes.Queue()
    neighbours = [
        processes.Process(target=_noise, args=(url, noisy_key, stop, said_to_them), daemon=True)
        for _ in range(_NEIGHBOURS)
    ]
    for neighbour in neighbours:
        neighbour.start()
    time.sleep(4)
    beside = _latencies(url, shape.api_key)
    stop.set()
    answers = sum((said_to_them.get(timeout=60) for _ in neighbours), Counter[int]())
    for neighbour in neighbours:
        neighbour.join(60)
    figures = {share: (quantile(alone, share), quantile(beside, share)) for share in (0.5, 0.99)}
    said = ", ".join(
        f"p{share * 100:g} {before * 1000:.0f} ms alone, {after * 1000:.0f} ms beside it "
        f"(ratio {after / before:.1f})"
        for share, (before, after) in figures.items()
    )
    failed = len(beside) != len([wait for wait in beside if wait < 20])
    ratio = figures[0.5][1] / figures[0.5][0]
    return f"{said}; the neighbour got {dict(answers)}", failed or ratio > _LONGEST_RATIO


def _latencies(url: str, api_key: str) -> list[float]:
    """Seconds to the 200 of one request at a time. Raises AssertionError for any other answer."""
    waits = []
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        _, body = run_of_an_agent()
        began = time.monotonic()
        answer = otlp.post(url, api_key, body)
        waits.append(time.monotonic() - began)
        assert answer.status_code == 200, answer.text[:300]
        time.sleep(_PAUSE)
    return waits


def _noise(url: str, api_key: str, stop: Event, said: Any) -> None:
    bodies = [_garbage(number) for number in range(_KINDS)]
    answers = Counter[int]()
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
    with httpx.Client(headers=headers, timeout=60) as client:
        while not stop.is_set():
            body = bodies[answers.total() % _KINDS]
            try:
                answers[client.post(f"{url}/v1/traces", content=body).status_code] += 1
            except httpx.HTTPError:
                answers[0] += 1
    said.put(answers)


def _garbage(number: int) -> bytes:
    """Broken JSON, clocks of 1965, values of 10 MB, deep nesting, ids of zeros: in turn."""
    trace_id = otlp.new_trace_id()
    kind = number % _KINDS
    if kind == 0:
        return b'{"resourceSpans": [' + b"x" * 200_000
    if kind == 1:
        old = otlp.span(trace_id, "old")
        old["startTimeUnixNano"], old["endTimeUnixNano"] = "1", "-157766400000000000"
        return json.dumps(otlp.request(old)).encode()
    if kind == 2:
        return json.dumps(
            otlp.request(otlp.span(trace_id, "large", huge="x" * 10_000_000))
        ).encode()
    if kind == 3:
        return b'{"resourceSpans":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    return json.dumps(
        otlp.request(*(otlp.span("0" * 32, f"no id {n}") for n in range(200)))
    ).encode()
