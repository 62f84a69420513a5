"""One project that sends much, badly or slowly beside a polite one: order and counts, no clocks."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.traces import arrived as requests
from tests.traces.otlp.requests import protobuf_request, protobuf_span
from tests.traces.otlp.test_receiver import Sender, scope
from traces.ingest import arrivals
from traces.ingest.arrivals import Arrival
from traces.ingest.breaker import Breaker
from traces.ingest.door import Door
from traces.ingest.group_commit import GroupCommit
from traces.ingest.storing import Apart, Stored, Storing
from traces.models import QuarantinedSpan
from traces.otlp.arrived import Arrived
from traces.otlp.fair_room import FairRoom
from traces.otlp.fair_threads import FairThreads
from traces.otlp.limits import Limits, Waiting
from traces.otlp.receiver import Receiver
from traces.store import client
from traces.store.errors import Overloaded, StoreError

STUBBORN, POLITE = "stubborn", "polite"
KIB = 1024


# --- what waits in memory ---------------------------------------------------------------------


def test_an_owner_may_hold_half_and_leaves_room_for_the_others() -> None:
    waiting = Waiting(100)
    first, second = waiting.hold(STUBBORN), waiting.hold(STUBBORN)
    first.take(40)
    with pytest.raises(Overloaded, match="this project"):
        second.take(20)
    other = waiting.hold(POLITE)
    other.take(50)
    first.release()
    second.take(20)
    other.release()


def test_the_only_request_of_an_owner_may_hold_more_than_half() -> None:
    waiting = Waiting(100)
    alone, next_ = waiting.hold(STUBBORN), waiting.hold(STUBBORN)
    alone.take(40)
    alone.take(50)
    with pytest.raises(Overloaded):
        next_.take(1)
    alone.release()
    next_.take(1)


def test_what_belongs_to_nobody_has_no_share() -> None:
    waiting = Waiting(100)
    waiting.hold().take(90)
    waiting.hold().take(10)
    with pytest.raises(Overloaded, match="receiver holds"):
        waiting.hold().take(1)


# --- threads and places -----------------------------------------------------------------------


def test_an_owner_with_much_work_leaves_a_thread_to_the_others() -> None:
    go, done = threading.Event(), list[str]()
    threads = FairThreads(3, 2, name="test")

    def stubborn() -> None:
        go.wait(10)
        done.append(STUBBORN)

    works = [threads.submit(stubborn, STUBBORN) for _ in range(10)]
    for _ in range(5):  # each after the other, while ten others wait
        threads.submit(lambda: done.append(POLITE), POLITE).result(10)
    assert done == [POLITE] * 5
    go.set()
    for work in works:
        work.result(10)
    assert Counter(done) == {STUBBORN: 10, POLITE: 5}


def test_owners_take_turns_in_one_thread() -> None:
    go, done = threading.Event(), list[str]()
    threads = FairThreads(1, 1, name="test")
    first = threads.submit(lambda: go.wait(10), "first")
    works = [
        threads.submit(lambda name=name: done.append(name), name[0])
        for name in ("a1", "a2", "a3", "b1", "b2")
    ]
    go.set()
    for work in (first, *works):
        work.result(10)
    assert done == ["a1", "b1", "a2", "b2", "a3"]


def test_work_that_fails_gives_its_thread_back_and_tells_who_waits() -> None:
    threads = FairThreads(1, 1, name="test")

    def fail() -> None:
        raise ValueError("bad work")

    async def run() -> int:
        with pytest.raises(ValueError, match="bad work"):
            await threads.run(STUBBORN, fail)
        return await threads.run(STUBBORN, lambda: 7)

    assert asyncio.run(run()) == 7


def test_places_are_shared_and_given_back() -> None:
    async def run() -> list[str]:
        room, entered = FairRoom(4, 2), list[str]()

        async def enter(owner: str) -> None:
            await room.enter(owner)
            entered.append(owner)

        slow = [asyncio.create_task(enter(STUBBORN)) for _ in range(6)]
        await asyncio.sleep(0)
        await asyncio.gather(enter(POLITE), enter(POLITE))
        slow[-1].cancel()
        room.leave(STUBBORN)
        await asyncio.gather(*slow[:3])
        room.leave(POLITE)
        room.leave(STUBBORN)
        await asyncio.gather(*slow[:4])
        return entered

    assert asyncio.run(run()) == [STUBBORN] * 2 + [POLITE] * 2 + [STUBBORN] * 2


# --- the group commit -------------------------------------------------------------------------


def commit_together(items: Sequence[str], **options: Any) -> tuple[list[list[str]], list[Any]]:
    groups: list[list[str]] = []
    go = threading.Event()

    def commit(group: Sequence[str]) -> Sequence[str | StoreError]:
        groups.append(list(group))
        go.wait(10)
        return list(group)

    async def run() -> list[Any]:
        queue = GroupCommit[str, str](
            commit, owner=lambda item: item[0], name="test", commits=1, **options
        )
        tasks = [asyncio.create_task(queue.write(items[0]))]
        await asyncio.sleep(0.05)
        tasks += [asyncio.create_task(queue.write(item)) for item in items[1:]]
        await asyncio.sleep(0.05)
        go.set()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    return groups, asyncio.run(run())


def test_a_polite_request_is_in_the_next_commit_whatever_waits_before_it() -> None:
    items = ["s0", *(f"s{n}" for n in range(1, 9)), "p0"]
    groups, _ = commit_together(items, max_size=2, max_waiting=100)
    assert groups[:3] == [["s0"], ["s1", "p0"], ["s2", "s3"]]


def test_an_owner_fills_half_of_what_may_wait() -> None:
    items = [*(f"s{n}" for n in range(9)), *(f"p{n}" for n in range(4))]
    _, outcomes = commit_together(items, max_size=100, max_waiting=8)
    refused = [item for item, one in zip(items, outcomes, strict=True) if one != item]
    assert refused == ["s5", "s6", "s7", "s8"]


# --- rows that the engine refuses -------------------------------------------------------------

engine = pytest.mark.usefixtures("store")
databases = pytest.mark.django_db(transaction=True, databases=["default", "spool"])


def stored_of(project_id: UUID) -> int:
    [row] = client.query(
        "SELECT uniqExact(trace_id, span_id) AS n FROM spans WHERE project_id = {p:UUID}",
        {"p": str(project_id)},
    )
    return int(row["n"])


@databases
@engine
def test_others_are_stored_before_a_projects_bad_rows_are_sorted(
    project: Any, other_project: Any
) -> None:
    storing = Storing(Breaker())
    bad = [requests.poisonous(project.id, good=20, at=13) for _ in range(3)]
    polite = [requests.arrival(other_project.id) for _ in range(2)]
    mixed = [bad[0], polite[0], bad[1], polite[1], bad[2]]
    assert storing.store_together(mixed) == [Apart(), Stored(), Apart(), Stored(), Apart()]
    assert stored_of(other_project.id) == 4
    assert not QuarantinedSpan.objects.exists()  # nobody waited for that
    assert storing.store_apart(bad) == [Stored(quarantined=1)] * 3
    assert stored_of(project.id) == 60


@databases
@engine
def test_a_polite_ack_does_not_wait_for_the_sorting_of_anothers_rows(
    project: Any, other_project: Any
) -> None:
    """The sorting is held until the polite requests are answered: were they behind it, they never
    would be.
    """
    answered = threading.Event()

    class Patient(Storing):
        def store_apart(self, arrivals: Sequence[Arrival]) -> Any:
            assert answered.wait(20), "a polite request stood behind the sorting"
            return super().store_apart(arrivals)

    async def run() -> None:
        door = Door(Patient(Breaker()))
        bad = [
            asyncio.create_task(door.write(requests.poisonous(project.id, good=3)))
            for _ in range(5)
        ]
        await asyncio.gather(*(door.write(requests.arrival(other_project.id)) for _ in range(5)))
        answered.set()
        await asyncio.gather(*bad)

    asyncio.run(run())
    assert stored_of(other_project.id) == 10
    assert stored_of(project.id) == 15
    assert QuarantinedSpan.objects.for_project(project).count() == 5


# --- all of it --------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProjectKey:
    project_id: UUID


@dataclass
class Place:
    """A receiver with two keys, into the real engine; bad requests may be held while decoded."""

    keys: dict[str, UUID]
    limits: Limits
    hold: threading.Event | None = None
    refused: Counter[tuple[UUID, int]] = field(default_factory=Counter)

    def receiver(self, write: Callable[[Arrival], Awaitable[None]]) -> Receiver[Any, Arrival]:
        async def authorize(raw: str) -> ProjectKey | None:
            return ProjectKey(self.keys[raw])

        def prepare(arrived: Arrived, key: ProjectKey) -> Arrival:
            if self.hold is not None and key.project_id == self.keys[STUBBORN]:
                assert self.hold.wait(20), "a polite request stood behind this one"
            return arrivals.of(
                arrived, key_id=uuid.UUID(int=1), project_id=key.project_id, retention_days=0
            )

        def refused(key: ProjectKey | None, refusal: Any, size: int) -> None:
            assert key is not None
            self.refused[key.project_id, refusal.status] += 1

        return Receiver(
            authorize, prepare, write, self.limits, refused=refused, now_ns=requests.clock
        )


async def send(receiver: Receiver[Any, Any], key: str, body: bytes) -> int:
    sender = Sender([body])
    await receiver(scope(authorization=f"Bearer {key}"), sender.receive, sender.send)
    return sender.response.status


def body_of(number: int, text: str = "", start_ns: int = 1_000) -> bytes:
    attributes = [KeyValue(key="text", value=AnyValue(string_value=text))]
    span = protobuf_span(
        span_id=number.to_bytes(8, "big"), start_time_unix_nano=start_ns, attributes=attributes
    )
    return protobuf_request(span).SerializeToString()


@databases
@engine
def test_garbage_old_clocks_and_huge_values_do_not_touch_another_projects_acks(
    project: Any, other_project: Any
) -> None:
    """While the stubborn project's requests are held in its threads, all polite ones are answered,
    large ones and small ones; then the stubborn ones are, 503 for what was too much of them.
    """
    keys = {STUBBORN: project.id, POLITE: other_project.id}
    limits = Limits(compressed_bytes=12 * KIB**2, waiting_bytes=64 * KIB**2)
    place = Place(keys, limits, hold=threading.Event())
    garbage = [b"\xff" * (100 * KIB)] * 4
    huge = [body_of(n, "x" * 10 * KIB**2) for n in range(1, 7)]
    old = [body_of(n, "y" * 70 * KIB, start_ns=1) for n in range(11, 15)]
    small, large = body_of(1, "hello"), body_of(2, "z" * 200 * KIB)

    async def run() -> tuple[list[int], list[int]]:
        receiver = place.receiver(Door(Storing(Breaker())).write)
        bad = [
            asyncio.create_task(send(receiver, STUBBORN, body)) for body in (*huge, *garbage, *old)
        ]
        await asyncio.sleep(0)
        polite = await asyncio.gather(
            *(send(receiver, POLITE, body) for body in (small, large) * 5)
        )
        assert place.hold is not None
        place.hold.set()
        return list(polite), list(await asyncio.gather(*bad))

    polite, stubborn = asyncio.run(run())
    assert polite == [200] * 10
    assert {status for (owner, status) in place.refused if owner == other_project.id} == set()
    assert Counter(stubborn[:6]) == {200: 3, 503: 3}  # half of what may wait
    assert set(stubborn[6:10]) == {400}
    assert set(stubborn[10:]) == {200}
    assert stored_of(other_project.id) == 2  # two spans, sent five times
    assert stored_of(project.id) == 7
