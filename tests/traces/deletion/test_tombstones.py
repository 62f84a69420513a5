"""What was deleted does not come back: by the receiver, the spool or the quarantine."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Project, User
from tests.traces import arrived, made
from traces.agent_usage import AgentUsage
from traces.deletion import asking, tombstones, work
from traces.ingest import quarantine
from traces.ingest.arrivals import Arrival
from traces.ingest.door import Door
from traces.logs import Log
from traces.models import DeletedTrace, Deletion, QuarantinedSpan
from traces.spool import deposits, drain
from traces.store import client
from traces.store.errors import StoreUnavailable

pytestmark = [
    pytest.mark.usefixtures("store"),
    pytest.mark.django_db(transaction=True, databases=["default", "spool"]),
]
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def deletion(project: Project, ada: User) -> Deletion:
    return asking.traces(project, [made.trace_id()], by=ada, by_name=ada.email, now=timezone.now())


def bury(deletion: Deletion, trace_id: bytes | None, expires_at: datetime = FAR) -> None:
    DeletedTrace.objects.create(
        project_id=deletion.project_id,
        trace_id=trace_id.hex() if trace_id else "",
        deletion=deletion,
        expires_at=expires_at,
    )


def send(arrival: Arrival) -> None:
    asyncio.run(Door().write(arrival))


def spans_of(project_id: uuid.UUID) -> int:
    found = client.query(
        "SELECT uniqExact(trace_id, span_id) AS n FROM spans WHERE project_id = {p:UUID}",
        {"p": str(project_id)},
    )
    return int(found[0]["n"])


def receipts_of(project_id: uuid.UUID) -> list[dict[str, object]]:
    return client.query(
        "SELECT accepted, dropped, reasons FROM receipts FINAL WHERE project_id = {p:UUID}",
        {"p": str(project_id)},
    )


def test_a_client_that_sends_a_deleted_trace_again_is_answered_and_nothing_is_stored(
    project: Project, deletion: Deletion
) -> None:
    gone, other = made.trace_id(), made.trace_id()
    bury(deletion, gone)
    tombstones.reload()
    spans = [made.span(project.id, gone, 1), made.span(project.id, other, 2)]
    send(arrived.arrival(project.id, *spans, made.span(project.id, gone, 3)))
    assert spans_of(project.id) == 1
    [receipt] = receipts_of(project.id)
    assert receipt == {"accepted": 1, "dropped": 2, "reasons": {"deleted": 2}}


def test_a_request_of_deleted_traces_alone_leaves_its_figures(
    project: Project, deletion: Deletion
) -> None:
    gone = made.trace_id()
    bury(deletion, gone)
    tombstones.reload()
    send(arrived.arrival(project.id, made.span(project.id, gone, 1)))
    assert spans_of(project.id) == 0
    assert receipts_of(project.id) == [{"accepted": 0, "dropped": 1, "reasons": {"deleted": 1}}]


def test_the_same_trace_id_of_another_project_is_taken(
    project: Project, other_project: Project, deletion: Deletion
) -> None:
    gone = made.trace_id()
    bury(deletion, gone)
    tombstones.reload()
    send(arrived.arrival(other_project.id, made.span(other_project.id, gone, 1)))
    assert spans_of(other_project.id) == 1


def test_a_project_that_is_deleted_takes_nothing_more(project: Project, deletion: Deletion) -> None:
    bury(deletion, None)
    tombstones.reload()
    send(arrived.arrival(project.id))
    assert spans_of(project.id) == 0


def test_tombstones_of_other_processes_are_learned_one_by_one(
    project: Project, deletion: Deletion
) -> None:
    first, second = made.trace_id(), made.trace_id()
    bury(deletion, first)
    tombstones.reload()
    bury(deletion, second)
    tombstones.reload()
    assert tombstones.current().traces == {project.id: {first, second}}


def test_a_thread_keeps_up_with_the_database(
    settings: Settings, project: Project, deletion: Deletion
) -> None:
    settings.TOMBSTONES_REFRESH_SECONDS = 0.05
    bury(deletion, gone := made.trace_id())
    tombstones.load()
    assert gone in tombstones.current().traces[project.id]


def test_before_the_first_reading_nothing_is_taken(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, project: Project
) -> None:
    """A database that is away may know of a deletion: the client sends again later."""
    settings.TOMBSTONES_REFRESH_SECONDS = 60
    monkeypatch.setattr(tombstones, "_FIRST_LOAD_SECONDS", 0.01)
    monkeypatch.setattr(tombstones, "_read", lambda: False)
    with pytest.raises(StoreUnavailable, match="deleted"):
        send(arrived.arrival(project.id))


def test_a_tombstone_holds_until_its_time_and_is_then_forgotten(
    project: Project, deletion: Deletion
) -> None:
    now = timezone.now()
    over, still = made.trace_id(), made.trace_id()
    bury(deletion, over, now - timedelta(seconds=1))
    bury(deletion, still, now + timedelta(days=1))
    tombstones.reload()
    assert tombstones.current().traces == {project.id: {still}}
    assert work.forget_expired(now) == 0  # its deletion is still under way
    Deletion.objects.update(state=Deletion.State.DONE)
    assert work.forget_expired(now) == 1
    assert list(DeletedTrace.objects.values_list("trace_id", flat=True)) == [still.hex()]


def test_the_spool_does_not_bring_it_back(project: Project, deletion: Deletion) -> None:
    gone, other = made.trace_id(), made.trace_id()
    both = [made.span(project.id, gone, 1), made.span(project.id, other, 2)]
    deposits.put([arrived.arrival(project.id, *both)], now=timezone.now())
    bury(deletion, gone)
    assert drain.drain() == 1
    assert spans_of(project.id) == 1
    assert receipts_of(project.id) == [{"accepted": 1, "dropped": 1, "reasons": {"deleted": 1}}]


def test_releasing_from_quarantine_does_not_bring_it_back(
    project: Project, deletion: Deletion
) -> None:
    sent = arrived.poisonous(project.id)
    gone = sent.batch.column("trace_id")[0]
    send(sent)
    [kept] = QuarantinedSpan.objects.all()
    # Mended since, and deleted.
    kept.content = _mended(kept)
    kept.save()
    bury(deletion, gone)
    assert quarantine.release([kept], now=timezone.now()) == (1, 0)
    assert spans_of(project.id) == 0
    kept.refresh_from_db()
    assert not kept.content


def _mended(kept: QuarantinedSpan) -> bytes:
    from traces.spool import encoding

    arrival = encoding.decode(bytes(kept.content))
    arrival.batch.column("parent_span_id")[0] = bytes(8)
    return encoding.encode(arrival)


NS = 1_000_000_000


def record(project: Project, number: int, seconds: float, **names: str) -> Log:
    """Of no trace, as coding agents send them."""
    at_ns = round(seconds * NS) if seconds else 0
    return Log(
        project_id=project.pk,
        log_id=bytes([number]) * 16,
        trace_id=b"",
        span_id=b"",
        time_ns=at_ns if number % 2 else 0,
        observed_ns=at_ns,
        received_ns=1,
        **names,
    )


def usage(project: Project, seconds: float, **names: str) -> AgentUsage:
    return AgentUsage(
        project_id=project.pk, series_id=b"s" * 16, agent="a", metric="m", counted="input",
        is_delta=True, start_ns=1, time_ns=round(seconds * NS), received_ns=1, value=1.0, **names,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["session", "user"])
def test_records_of_a_deleted_person_do_not_come_back(
    project: Project, ada: User, other_project: Project, kind: str
) -> None:
    asked_at = timezone.now()
    ask = asking.session if kind == "session" else asking.user
    deletion = ask(project, "ada-1", by=ada, by_name=ada.email, now=asked_at)
    then = asked_at.timestamp()
    named: dict[str, str] = {f"{kind}_id": "ada-1"}
    other: dict[str, str] = {("user_id" if kind == "session" else "session_id"): "ada-1"}
    records = [
        record(project, 1, then - 3600, **named),
        record(project, 2, then - 1, **named),
        record(project, 3, then + 1, **named),
        record(project, 4, 0, **named),
        record(project, 5, then - 60, **other),
        record(project, 6, then - 60),
    ]
    logs = arrived.empty(project.pk, signal="logs", logs=records)
    counted = [usage(project, then - 5, **named), usage(project, then + 5, **named)]
    points = arrived.empty(project.pk, signal="metrics", usage=counted)
    spans = arrived.arrival(project.pk)
    strangers = arrived.empty(other_project.pk, signal="logs", logs=records)
    waiting = [logs, points, spans, strangers]
    assert tombstones.without_deleted(waiting) == waiting
    work.run_due("a worker", max_seconds=5.0)
    tombstones.reload()
    for kept in (
        tombstones.without_deleted(waiting),
        [tombstones.current().without_deleted(one) for one in waiting],
    ):
        assert [ids[0] for ids in kept[0].batch.column("log_id")] == [3, 4, 5, 6]
        assert kept[0].receipt.reasons == {tombstones.REASON: 2}
        assert kept[1].batch.column("time_ns") == [counted[1].time_ns]
        assert kept[2:] == [spans, strangers]
    deletion.refresh_from_db()
    assert (deletion.found, deletion.erased) == (0, 0)
    assert not DeletedTrace.objects.filter(trace_id__contains="ada").exists()
