"""What `write` promises: stored on return, or an error; and that no request suffers for another."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

import pytest

from tests.traces import made
from traces.spans import Span
from traces.store import client
from traces.store.engine.process import EngineProcess
from traces.store.errors import Overloaded, StoreRejected, StoreUnavailable
from traces.store.reader import SpanReader
from traces.store.writer import GroupCommitWriter

Outcomes = list[BaseException | None]


def requests(count: int, project_id: uuid.UUID) -> list[list[Span]]:
    return [[made.span(project_id, made.trace_id(), n) for n in (1, 2)] for _ in range(count)]


def poisonous(project_id: uuid.UUID) -> list[Span]:
    """Its parent has three bytes, which no codec lets through and no column takes."""
    span = made.span(project_id, made.trace_id())
    span.parent_span_id = b"abc"
    return [span]


def write_all(
    batches: Sequence[Sequence[Span]], writer: GroupCommitWriter, retention: int = 0
) -> Outcomes:
    async def together() -> Outcomes:
        found = await asyncio.gather(
            *(writer.write(spans, retention_days=retention) for spans in batches),
            return_exceptions=True,
        )
        return list(found)

    return asyncio.run(together())


def is_stored(span: Span) -> bool:
    return SpanReader(span.project_id).span(span.trace_id, span.span_id) is not None


def inserts_of(project_id: uuid.UUID) -> int:
    """How many INSERTs brought the project's spans: each has its own instant of storing."""
    found = client.query(
        "SELECT uniqExact(stored_at) AS n FROM spans WHERE project_id = {p:UUID}",
        {"p": str(project_id)},
    )
    return int(found[0]["n"])


@pytest.mark.usefixtures("store")
def test_requests_at_the_same_time_share_inserts() -> None:
    project_id = uuid.uuid4()
    batches = requests(60, project_id)
    assert write_all(batches, GroupCommitWriter(inserts=1)) == [None] * 60
    assert all(is_stored(spans[0]) for spans in batches[::20])
    assert inserts_of(project_id) <= 3


@pytest.mark.usefixtures("store")
def test_an_insert_has_its_limit_and_the_queue_drains_in_order() -> None:
    project_id = uuid.uuid4()
    done: list[int] = []

    async def run() -> None:
        writer = GroupCommitWriter(inserts=1, max_rows=4)

        async def one(number: int, spans: list[Span]) -> None:
            await writer.write(spans)
            done.append(number)

        await asyncio.gather(*(one(n, s) for n, s in enumerate(requests(8, project_id))))

    asyncio.run(run())
    assert done == sorted(done)
    assert inserts_of(project_id) >= 4


@pytest.mark.usefixtures("store")
def test_a_poisonous_request_fails_alone() -> None:
    project_id = uuid.uuid4()
    batches = [*requests(5, project_id), poisonous(project_id), *requests(5, project_id)]
    outcomes = write_all(batches, GroupCommitWriter(inserts=1))
    assert isinstance(outcomes[5], StoreRejected)
    assert outcomes[:5] + outcomes[6:] == [None] * 10
    assert all(is_stored(span) for spans in batches[:5] + batches[6:] for span in spans)


def test_with_the_engine_down_every_waiter_is_told_and_nothing_is_stored(
    store: EngineProcess,
) -> None:
    batches = requests(3, uuid.uuid4())
    writer = GroupCommitWriter()
    store.stop()
    try:
        assert all(isinstance(o, StoreUnavailable) for o in write_all(batches, writer))
    finally:
        store.start()
    assert not any(is_stored(span) for spans in batches for span in spans)
    assert write_all(batches, writer) == [None] * 3  # the same writer goes on
    assert all(is_stored(span) for spans in batches for span in spans)


@pytest.mark.usefixtures("store")
def test_a_client_that_leaves_takes_nobody_with_it() -> None:
    batches = requests(6, uuid.uuid4())

    async def run() -> Outcomes:
        writer = GroupCommitWriter(inserts=1)
        tasks = [asyncio.create_task(writer.write(spans)) for spans in batches]
        await asyncio.sleep(0)
        tasks[0].cancel()  # in the INSERT that runs
        tasks[3].cancel()  # in the queue
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    outcomes = asyncio.run(run())
    assert [n for n, o in enumerate(outcomes) if isinstance(o, asyncio.CancelledError)] == [0, 3]
    assert all(is_stored(batches[n][0]) for n in (1, 2, 4, 5))


@pytest.mark.usefixtures("store")
def test_more_than_the_queue_holds_is_refused_and_not_taken() -> None:
    batches = requests(6, uuid.uuid4())
    outcomes = write_all(batches, GroupCommitWriter(inserts=1, max_waiting_rows=4))
    refused = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Overloaded)]
    assert refused == [3, 4, 5]  # one in the INSERT, two waiting
    assert not any(is_stored(batches[n][0]) for n in refused)


@pytest.mark.usefixtures("store")
def test_a_request_larger_than_the_queue_is_taken_when_nothing_waits() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    spans = [made.span(project_id, trace_id, n + 1) for n in range(20)]
    writer = GroupCommitWriter(max_rows=5, max_waiting_rows=5)
    assert write_all([spans], writer) == [None]
    assert len(SpanReader(project_id).spans(trace_id)) == 20


@pytest.mark.usefixtures("store")
def test_many_retention_classes_and_old_clocks_fit_into_inserts() -> None:
    project_id = uuid.uuid4()
    weeks = range(30)

    async def run() -> None:
        writer = GroupCommitWriter(inserts=1)
        await asyncio.gather(
            *(
                writer.write(
                    [
                        made.span(project_id, made.trace_id(), start_ns=base - week * WEEK_NS)
                        for week in weeks
                    ],
                    retention_days=days,
                )
                for days in (0, 7, 30, 90, 365, 14)
            )
        )

    base = made.span(project_id, made.trace_id()).start_ns
    asyncio.run(run())
    assert inserts_of(project_id) == 3  # the first alone, then three classes, then two


WEEK_NS = 604_800 * 10**9


@pytest.mark.usefixtures("store")
def test_the_same_span_sent_twice_is_one_and_the_newest_version_is_shown() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    first = made.span(project_id, trace_id, name="first", version=1)
    second = made.span(project_id, trace_id, name="second", version=2)
    assert write_all([[second], [first], [second]], GroupCommitWriter()) == [None] * 3
    assert [span.name for span in SpanReader(project_id).spans(trace_id)] == ["second"]


def test_nothing_to_write_needs_no_engine() -> None:
    assert write_all([[]], GroupCommitWriter()) == [None]
