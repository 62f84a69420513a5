"""Receipts, ledger and spans agree; when one of them lies, the command says so."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Project
from tests.traces import arrived, made
from traces.ingest import ledger, quarantine
from traces.ingest.arrivals import Arrival
from traces.ingest.breaker import Breaker
from traces.ingest.ledger import Balance
from traces.ingest.storing import Stored, Storing
from traces.models import QuarantinedSpan, SpoolBatch
from traces.otlp.decoded import Rejection
from traces.spool import drain
from traces.spool.drain import Drainer
from traces.store import client, writer
from traces.store.engine.process import EngineProcess

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "spool"]),
    pytest.mark.usefixtures("store"),
]


def send(*arrivals: Arrival) -> None:
    """As the door does, in one thread."""
    storing = Storing(Breaker(pause_seconds=0.05))
    outcomes = storing.store(arrivals)
    done = [
        quarantined(a, o.quarantined)
        for a, o in zip(arrivals, outcomes, strict=True)
        if isinstance(o, Stored)
    ]
    if done:
        storing.acknowledge(done)


def quarantined(arrival: Arrival, count: int) -> Arrival:
    from dataclasses import replace

    return replace(arrival, receipt=replace(arrival.receipt, quarantined=count))


def balance(project: Project) -> Balance:
    return ledger.balance(project.id, since_ns=0, until_ns=time.time_ns() + 1)


def reconcile(project: Project) -> tuple[int, str]:
    out = io.StringIO()
    until = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 2))
    arguments = ("--project", str(project.id), "--until", until)
    try:
        call_command("reconcile", *arguments, stdout=out, stderr=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_what_was_stored_once_adds_up(project: Project) -> None:
    send(arrived.arrival(project.id), arrived.arrival(project.id))
    found = balance(project)
    assert (found.accepted, found.distinct, found.requests) == (4, 4, 2)
    assert found.is_good
    assert reconcile(project)[0] == 0


def test_nothing_at_all_adds_up(project: Project) -> None:
    assert balance(project).is_good


def test_spans_that_are_sent_again_are_told_from_spans_that_are_repeated(
    project: Project,
) -> None:
    trace_id = made.trace_id()
    first = [made.span(project.id, trace_id, n) for n in (1, 2, 2, 3)]
    send(arrived.arrival(project.id, *first))
    send(arrived.arrival(project.id, *(made.span(project.id, trace_id, n) for n in (2, 3, 4))))
    found = balance(project)
    assert (found.accepted, found.distinct, found.resent, found.repeated) == (7, 4, 2, 1)
    assert found.is_good


def test_a_row_that_was_written_twice_counts_once(project: Project) -> None:
    sent = arrived.arrival(project.id)
    writer.insert([sent.batch])
    send(sent)
    send(sent)
    found = balance(project)
    assert (found.accepted, found.distinct, found.resent) == (2, 2, 0)
    assert found.is_good


def test_quarantined_spans_are_accounted_for_until_they_are_released(project: Project) -> None:
    send(arrived.poisonous(project.id, good=3))
    found = balance(project)
    assert (found.accepted, found.distinct, found.quarantined) == (4, 3, 1)
    assert found.is_good
    assert quarantine.release(QuarantinedSpan.objects.all(), now=made_now()) == (0, 1)
    assert balance(project).quarantined == 1


def made_now():  # type: ignore[no-untyped-def]
    from django.utils import timezone

    return timezone.now()


@pytest.fixture
def outage(store: EngineProcess) -> Iterator[EngineProcess]:
    store.stop()
    yield store
    if not store.is_running:
        store.start()


def test_what_waits_in_the_spool_is_accounted_for(outage: EngineProcess, project: Project) -> None:
    send(arrived.arrival(project.id), arrived.arrival(project.id))
    outage.start()
    send(arrived.arrival(project.id))
    found = balance(project)
    assert (found.accepted, found.distinct, found.spooled) == (6, 2, 4)
    assert found.is_good
    drain.drain()
    found = balance(project)
    assert (found.accepted, found.distinct, found.spooled) == (6, 6, 0)
    assert found.is_good


@pytest.mark.parametrize("steps", ["rows", "rows and receipts"])
def test_a_drainer_that_was_killed_half_way_leaves_it_adding_up(
    outage: EngineProcess, project: Project, steps: str
) -> None:
    send(arrived.arrival(project.id), arrived.arrival(project.id))
    outage.start()
    drainer = Drainer()
    claimed = drainer.claim()
    if steps == "rows":
        writer.insert([arrival.batch for _, arrival in claimed])
    else:
        drainer.store(claimed)
    found = balance(project)
    assert SpoolBatch.objects.count() == 2
    assert (found.accepted, found.unacknowledged) == (4, 0)
    assert found.is_good
    assert found.spooled == (4 if steps == "rows" else 0)


def test_stored_without_an_answer_is_no_loss(project: Project) -> None:
    writer.insert([arrived.arrival(project.id).batch])
    found = balance(project)
    assert (found.accepted, found.unacknowledged) == (0, 2)
    assert found.is_good


def test_rejected_spans_stand_beside(project: Project) -> None:
    rejected = [Rejection("span 'x': trace id is all zeros", 3)]
    send(arrived.arrival(project.id, rejected=rejected))
    found = balance(project)
    assert (found.accepted, found.rejected) == (2, 3)
    assert found.is_good


def test_an_acknowledged_span_that_never_came_is_missing(project: Project) -> None:
    lost = arrived.arrival(project.id)
    Storing(Breaker()).acknowledge([lost])
    send(arrived.arrival(project.id))
    found = balance(project)
    assert (found.accepted, found.distinct, found.missing) == (4, 2, 2)
    code, said = reconcile(project)
    assert code == 1
    assert "MISSING" in said


def test_a_span_that_vanished_from_the_table_is_noticed(project: Project) -> None:
    send(arrived.arrival(project.id))
    client.command(
        "DELETE FROM spans WHERE project_id = {p:UUID} AND span_id = {s:String}",
        {"p": str(project.id), "s": "\0\0\0\0\0\0\0\x01"},
    )
    assert balance(project).gone == 1
    assert reconcile(project)[0] == 1


def test_a_span_that_came_past_the_ledger_is_noticed(project: Project) -> None:
    send(arrived.arrival(project.id))
    later = arrived.arrival(project.id)
    send(later)
    client.command(
        "DELETE FROM ingested WHERE project_id = {p:UUID} AND received_ns = {r:UInt64}",
        {"p": str(project.id), "r": later.batch.received_ns},
    )
    found = balance(project)
    assert (found.unledgered, found.missing) == (2, 2)
    assert reconcile(project)[0] == 1


def test_an_insert_in_which_the_engine_died_is_no_loss(project: Project) -> None:
    """Its rows are there and the ledger's are not, and nobody was told that they were stored."""
    send(arrived.arrival(project.id))
    cut_short = arrived.arrival(project.id)
    writer.insert([cut_short.batch])
    client.command(
        "DELETE FROM ingested WHERE project_id = {p:UUID} AND received_ns = {r:UInt64}",
        {"p": str(project.id), "r": cut_short.batch.received_ns},
    )
    found = balance(project)
    assert (found.accepted, found.unacknowledged, found.unledgered) == (2, 2, 0)
    assert found.is_good
    send(cut_short)  # its sender comes again
    found = balance(project)
    assert (found.accepted, found.distinct, found.unacknowledged) == (4, 4, 0)
    assert found.is_good


def test_other_projects_are_not_counted(project: Project, other_project: Project) -> None:
    send(arrived.arrival(project.id), arrived.arrival(other_project.id))
    assert balance(project).accepted == 2


def test_a_window_beyond_the_ledger_is_refused(project: Project) -> None:
    with pytest.raises(CommandError, match="14 days"):
        call_command("reconcile", "--since", "2020-01-01")


def test_nonsense_is_named(project: Project) -> None:
    with pytest.raises(CommandError, match="no time"):
        call_command("reconcile", "--since", "yesterday")
    with pytest.raises(CommandError, match="no project"):
        call_command("reconcile", "--project", str(uuid.uuid4()))
