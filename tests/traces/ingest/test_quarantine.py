"""Releasing: what the engine takes now is stored after all, the rest stays with its reason."""

from __future__ import annotations

import io
import time

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Project, User
from tests.cast import SignIn
from tests.traces import arrived, made
from traces.ingest import ledger
from traces.ingest.breaker import Breaker
from traces.ingest.storing import Stored, Storing
from traces.models import QuarantinedSpan
from traces.spool import encoding
from traces.store.engine.process import EngineProcess
from traces.store.reader import SpanReader

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "spool"]),
    pytest.mark.usefixtures("store"),
]


@pytest.fixture
def mended(project: Project) -> QuarantinedSpan:
    """A span that was refused for a cause which is gone: its receipt says that it was taken."""
    sent = arrived.arrival(project.id, made.span(project.id, made.trace_id(), name="mended"))
    Storing(Breaker()).acknowledge([sent])
    return QuarantinedSpan.objects.create(
        project=project,
        trace_id=sent.batch.column("trace_id")[0].hex(),
        span_id=sent.batch.column("span_id")[0].hex(),
        received_ns=sent.batch.received_ns,
        reason="a column was too narrow",
        content=encoding.encode(sent),
    )


def release(*arguments: str) -> str:
    out = io.StringIO()
    call_command("release_quarantine", *arguments, stdout=out)
    return out.getvalue().strip()


def balance(project: Project) -> ledger.Balance:
    return ledger.balance(project.id, since_ns=0, until_ns=time.time_ns() + 1)


def test_a_released_span_is_stored_and_everything_adds_up(
    project: Project, mended: QuarantinedSpan
) -> None:
    assert (balance(project).quarantined, balance(project).is_good) == (1, True)
    assert release() == "1 spans stored, 0 refused again."
    [span] = SpanReader(project.id).spans(bytes.fromhex(mended.trace_id))
    assert span.name == "mended"
    found = balance(project)
    assert (found.quarantined, found.distinct, found.is_good) == (0, 1, True)
    mended.refresh_from_db()
    assert mended.released_at is not None
    assert bytes(mended.content) == b""
    assert release() == "0 spans stored, 0 refused again."


def test_what_is_refused_again_stays(project: Project) -> None:
    assert Storing(Breaker()).store([arrived.poisonous(project.id)]) == [Stored(quarantined=1)]
    QuarantinedSpan.objects.update(reason="")
    assert release("--project", str(project.id)) == "0 spans stored, 1 refused again."
    [kept] = QuarantinedSpan.objects.waiting()
    assert kept.reason
    assert bytes(kept.content)


def test_another_projects_spans_are_left_alone(
    mended: QuarantinedSpan, other_project: Project
) -> None:
    assert release("--project", str(other_project.id)) == "0 spans stored, 0 refused again."


def test_without_the_engine_nothing_is_lost(store: EngineProcess, mended: QuarantinedSpan) -> None:
    store.stop()
    try:
        with pytest.raises(CommandError, match="cannot be reached"):
            release()
    finally:
        store.start()
    assert QuarantinedSpan.objects.waiting().count() == 1


def test_an_administrator_releases_from_the_admin(
    mended: QuarantinedSpan, ada: User, sign_in: SignIn
) -> None:
    ada.is_staff = ada.is_superuser = True
    ada.save()
    browser: Client = sign_in(ada)
    page = "/admin/traces/quarantinedspan/"
    assert browser.get(page).status_code == 200
    assert browser.get(f"{page}{mended.pk}/change/").status_code == 200
    chosen = {"action": "release", "_selected_action": [str(mended.pk)]}
    assert b"1 spans stored" in browser.post(page, chosen, follow=True).content
    assert browser.get("/admin/traces/spoolbatch/").status_code == 200
