"""Reads with ten million spans: milliseconds in the engine, warm, of everything one page asks for.

Each figure is the median of 9 after 2 runs that are not counted, each run with another trace, value
or end of its range. TRACEROOT_BENCHMARK_SPANS sets how many spans are generated.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django_celery_beat.models import PeriodicTask, PeriodicTasks

from benchmarks import generated
from benchmarks.figures import Figure, quantile
from benchmarks.generated import Generated
from tests.product.running import Product
from traces.store import client, text_index
from traces.store.filters import Condition, TraceFilter
from traces.store.reader import SpanReader

SPANS = int(os.environ.get("TRACEROOT_BENCHMARK_SPANS", "10000000"))
_WARM_UPS, _RUNS = 2, 9
_BESIDE = "SELECT sum(cityHash64(trace_id)) AS hash FROM spans"
_Read = Callable[[int], object]


def run(product: Product) -> Sequence[Figure]:
    _leave_to_be()
    made = generated.generate(product.project_id, SPANS)
    generated.wait_for_merges()
    disk = generated.disk_bytes_a_span()
    reader = SpanReader(UUID(product.project_id))
    beside = _milliseconds(lambda _: client.query(_BESIDE))
    print(f"  disk: {disk:.0f} bytes a span in all tables, without the text index", flush=True)
    figures = [
        Figure(name, _milliseconds(read), "ms", "one column of all spans", beside, target)
        for name, read, target in _reads(reader, made)
    ]
    began = time.monotonic()
    _build_text_index()
    print(
        f"  text index: built in {time.monotonic() - began:.0f} s,"
        f" {generated.disk_bytes_a_span() - disk:.0f} bytes a span",
        flush=True,
    )
    found = reader.search(generated.RARE_WORD, since=_moment(made.since)).hits
    print(f"  rare word: {len(found)} spans have it", flush=True)
    for name, word, target in (
        ("rare word, 30 d, text index", generated.RARE_WORD, 60),
        ("word of every other span, 30 d, text index", "monschse", None),
    ):
        took = _milliseconds(
            lambda n, word=word: reader.search(word, since=_shifted(made.since, n))
        )
        figures.append(Figure(name, took, "ms", "one column of all spans", beside, target))
    text_index.drop()
    return figures


def _leave_to_be() -> None:
    """What is generated would be examined for half an hour, beside all that is measured."""
    PeriodicTask.objects.update(enabled=False)
    PeriodicTasks.update_changed()


def _reads(reader: SpanReader, made: Generated) -> list[tuple[str, _Read, float | None]]:
    until = _moment(made.until)

    def day(n: int) -> TraceFilter:
        return TraceFilter(since=until - timedelta(days=1, seconds=n))

    def month(n: int) -> TraceFilter:
        return TraceFilter(since=_shifted(made.since, n))

    def tenant(n: int) -> TraceFilter:
        wanted = Condition("attribute", "eq", (f"tenant-{n * 17}",), key="app.tenant")
        return TraceFilter(since=until - timedelta(days=1), conditions=(wanted,))

    some = [row.trace_id for row in reader.traces(month(0), limit=500).rows[::40]]
    return [
        ("newest 50 traces, 24 h", lambda n: reader.traces(day(n)), 40),
        ("newest 50 traces, 30 d", lambda n: reader.traces(month(n)), 80),
        ("trace by id", lambda n: reader.trace(some[n]), 30),
        ("outline of a trace", lambda n: reader.outline(some[n]), None),
        ("whole spans of a trace", lambda n: reader.spans(some[n]), None),
        ("sessions, 30 d", lambda n: reader.sessions(month(n)), 300),
        ("users, 30 d", lambda n: reader.users(month(n)), None),
        ("cost by model by day, 30 d", lambda n: reader.series(month(n), by="model"), 300),
        ("traces by day, 30 d", lambda n: reader.series(month(n)), None),
        ("attribute filter, 24 h", lambda n: reader.traces(tenant(n)), 100),
        ("13 facets, 24 h", lambda n: reader.facets(day(n)), None),
        ("13 facets, 30 d", lambda n: reader.facets(month(n)), None),
    ]


def _milliseconds(read: _Read) -> float:
    """Median of the engine's own time over all queries of a read."""
    took = []
    for number in range(_WARM_UPS + _RUNS):
        with client.costs() as costs:
            read(number)
        if number >= _WARM_UPS:
            took.append(sum(cost.elapsed_ns for cost in costs) / 1e6)
    return quantile(took, 0.5)


def _build_text_index() -> None:
    text_index.add()
    text_index.build()
    while not text_index.progress().is_built:
        time.sleep(1)
    generated.wait_for_merges()


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _shifted(seconds: int, by: int) -> datetime:
    return _moment(seconds + by)
