"""What is done to the product while clients send."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.soak import counting
from benchmarks.soak.counting import Tally
from benchmarks.soak.shapes import Shape
from tests.product import otlp
from tests.product.senders import Senders, run_of_an_agent

THREADS = 4
_FAILING = 10  # one trace in so many has a tool that fails
Say = Callable[[str], None]


class _Mixed:
    """Runs of agents; in some a tool fails, and detection has to say so once."""

    def __init__(self) -> None:
        self.failing: set[str] = set()
        self._made = 0
        self._lock = threading.Lock()

    def __call__(self) -> tuple[str, dict[str, Any]]:
        with self._lock:
            self._made += 1
            if self._made % _FAILING:
                return run_of_an_agent()
            trace_id = otlp.new_trace_id()
            self.failing.add(trace_id)
        return trace_id, otlp.failing_run(trace_id, f"no refund {secrets.token_hex(3)}")


@contextmanager
def _load(shape: Shape) -> Iterator[tuple[Senders, _Mixed]]:
    make = _Mixed()
    senders = Senders(shape.otlp_urls, shape.api_key, make)
    senders.start(THREADS)
    try:
        yield senders, make
    finally:
        senders.stop()


def kills(shape: Shape, count: int, seconds: float, chance: random.Random, say: Say) -> Tally:
    """Each process `count` times, in random order, at random moments of sustained load."""
    order = [role for role in shape.roles for _ in range(count)]
    chance.shuffle(order)
    with _load(shape) as (senders, make):
        time.sleep(seconds)
        for number, role in enumerate(order, start=1):
            shape.kill(role)
            if number % 10 == 0:
                say(f"{number} of {len(order)} kills, {len(senders.acknowledged)} acknowledged")
            time.sleep(seconds * chance.uniform(0.4, 1.6))
        time.sleep(seconds)
    return counting.check(shape, senders, make.failing)


def outage(shape: Shape, seconds: float, say: Say) -> Tally:
    """The engine is away under load; what was acknowledged meanwhile arrives after."""
    with _load(shape) as (senders, make):
        time.sleep(3)
        with shape.without_engine():
            before = len(senders.acknowledged)
            time.sleep(seconds)
            during = len(senders.acknowledged) - before
        say(f"engine away for {seconds:g} s: {during} requests acknowledged into the spool")
        time.sleep(3)
    tally = counting.check(shape, senders, make.failing)
    if not during:
        tally.wrong.append("nothing was acknowledged while the engine was away")
    return tally
