"""Working a deletion off: killed anywhere, fenced, waiting for the store, and what is left."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Project, User
from tests.traces import arrived, made
from traces import settle
from traces.deletion import asking, erasing, holders, waiting_rows, work
from traces.deletion.asking import BadDeletion
from traces.deletion.fingerprints import fingerprint
from traces.models import DeletedTrace, Deletion
from traces.spool import deposits, drain
from traces.store import client
from traces.store.engine.process import EngineProcess
from traces.store.filters import TraceFilter

pytestmark = [
    pytest.mark.usefixtures("store", "_no_wait_for_the_disk"),
    pytest.mark.django_db(transaction=True, databases=["default", "spool"]),
]
State = Deletion.State


class Killed(BaseException):
    """As if the process had ended here: nothing catches it."""


@pytest.fixture
def _no_wait_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """When replaced files are gone is the matter of `test_planted`."""
    monkeypatch.setattr(erasing, "replaced_parts", lambda until: 0)


def stored_traces(project: Project, count: int) -> list[bytes]:
    ids = [made.trace_id() for _ in range(count)]
    made.stored(*(made.span(project.id, one, n) for one in ids for n in (1, 2)))
    settle.settle_quiet()
    return ids


def rows_of(project: Project) -> dict[str, int]:
    return {
        table: client.query(
            f"SELECT count() AS n FROM {table} WHERE project_id = {{p:UUID}}",
            {"p": str(project.id)},
        )[0]["n"]
        for table in ("spans", "traces", "trace_index")
    }


def ask(project: Project, by: User, ids: list[bytes]) -> Deletion:
    return asking.traces(project, ids, by=by, by_name=by.email, now=timezone.now())


def later(minutes: float) -> Callable[[], datetime]:
    return lambda: timezone.now() + timedelta(minutes=minutes)


def worked_off(deletion: Deletion, minutes: float = 0) -> Deletion:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        step("second", minutes)
        deletion.refresh_from_db()
        if deletion.state in (State.DONE, State.FAILED):
            break
        time.sleep(0.02)
    return deletion


def step(worker: str, minutes: float = 0) -> None:
    """What is left for later is due now."""
    Deletion.objects.filter(state=State.WAITING).update(due_at=datetime(2026, 1, 1, tzinfo=UTC))
    work.run_due(worker, max_seconds=2, clock=later(minutes))


def steps_of_first() -> None:
    for _ in range(5):
        step("first")


STEPS: list[tuple[Any, str]] = [
    (DeletedTrace.objects.__class__, "bulk_create"),
    (waiting_rows, "erase"),
    (erasing, "count"),
    (erasing, "erase"),
    (holders, "erase_traces"),
    (erasing, "rewrite"),
    (erasing, "is_rewritten"),
]


@pytest.mark.parametrize(("owner", "name"), STEPS, ids=[name for _, name in STEPS])
def test_whoever_comes_next_goes_on_where_a_worker_was_killed_after(
    project: Project,
    ada: User,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
) -> None:
    ids = stored_traces(project, 3)
    kept = stored_traces(project, 1)
    deposits.put(
        [arrived.arrival(project.id, made.span(project.id, ids[0], 9))], now=timezone.now()
    )
    deletion = ask(project, ada, ids)
    with monkeypatch.context() as patch:
        real = getattr(owner, name)

        def end(*arguments: Any, **more: Any) -> None:
            real(*arguments, **more)
            raise Killed

        patch.setattr(owner, name, end)
        with pytest.raises(Killed):
            steps_of_first()
    deletion.refresh_from_db()
    assert deletion.state == State.RUNNING
    assert work.run_due("second", max_seconds=1) == 0  # the lease of the dead one still holds

    worked_off(deletion, minutes=5)

    assert deletion.state == State.DONE
    assert (deletion.found, deletion.erased) == (3, 3)
    assert rows_of(project) == {"spans": 2, "traces": 1, "trace_index": 1}
    assert {table: deletion.rows[table] for table in ("spans", "traces")} == {
        "spans": 6,
        "traces": 3,
    }
    assert kept[0].hex() not in DeletedTrace.objects.values_list("trace_id", flat=True)


def test_large_ones_go_in_portions_and_say_how_far_they_are(
    project: Project, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "PORTION", 4)
    seen: list[tuple[int, int]] = []
    real = erasing.erase

    def watched(*arguments: Any) -> None:
        row = Deletion.objects.get()
        seen.append((row.erased, row.found))
        real(*arguments)

    monkeypatch.setattr(erasing, "erase", watched)
    worked_off(ask(project, ada, stored_traces(project, 10)))
    assert seen[:3] == [(0, 10), (4, 10), (8, 10)]
    assert rows_of(project)["spans"] == 0


def test_a_query_takes_what_its_list_shows_and_nothing_that_came_after(
    project: Project, ada: User
) -> None:
    old = stored_traces(project, 3)
    asked = asking.query(project, TraceFilter(), by=ada, by_name=ada.email, now=timezone.now())
    new = made.trace_id()
    start = int((timezone.now().timestamp() + 5) * 1e9)
    made.stored(made.span(project.id, new, 1, start_ns=start, end_ns=start + 1))
    settle.settle_quiet()
    done = worked_off(asked)
    assert (done.state, done.erased) == (State.DONE, len(old))
    assert rows_of(project)["spans"] == 1


def test_nothing_to_delete_is_done_with_a_receipt(project: Project, ada: User) -> None:
    done = worked_off(
        asking.session(project, "nobody", by=ada, by_name=ada.email, now=timezone.now())
    )
    assert (done.state, done.erased, done.rows) == (State.DONE, 0, {})
    assert done.asked == {}
    assert done.fingerprint == fingerprint({"session_id": "nobody"})


def test_while_the_store_is_away_it_waits_and_says_so(
    project: Project, ada: User, store: EngineProcess
) -> None:
    deletion = ask(project, ada, stored_traces(project, 1))
    store.stop()
    try:
        assert work.run_due("first", max_seconds=1) == 0
        deletion.refresh_from_db()
        assert deletion.state == State.WAITING
        assert "cannot be reached" in deletion.error
        assert deletion.due_at > timezone.now()
    finally:
        store.start()
    assert worked_off(deletion).state == State.DONE
    assert deletion.error == ""


def test_what_fails_again_and_again_is_shown_and_can_be_tried_again(
    project: Project, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deletion = ask(project, ada, stored_traces(project, 1))
    with monkeypatch.context() as patch:

        def bug(*_: Any) -> None:
            raise KeyError("bug")

        patch.setattr(holders, "erase_traces", bug)
        worked_off(deletion)
    assert deletion.state == State.FAILED
    assert "KeyError" in deletion.error
    assert work.retry(deletion, timezone.now())
    assert not work.retry(deletion, timezone.now())
    assert worked_off(deletion).state == State.DONE


def test_a_worker_that_lost_its_claim_writes_nothing_more(project: Project, ada: User) -> None:
    ask(project, ada, stored_traces(project, 1))
    slow = work.claim("slow")
    assert slow is not None
    quick = work.claim("quick", later(5))
    assert quick is not None
    with pytest.raises(work.ClaimLost):
        slow.save(phase=Deletion.Phase.END)
    slow.leave(State.FAILED)
    assert Deletion.objects.get().state == State.RUNNING


@pytest.mark.parametrize("value", ["", "x" * 1025, "a\0b"])
def test_a_session_that_cannot_be_is_refused(project: Project, ada: User, value: str) -> None:
    with pytest.raises(BadDeletion, match="Name the session"):
        asking.session(project, value, by=ada, by_name=ada.email, now=timezone.now())


@pytest.mark.parametrize("count", [0, 1001])
def test_from_one_to_a_thousand_traces_are_named(project: Project, ada: User, count: int) -> None:
    with pytest.raises(BadDeletion, match=r"1 to 1,000"):
        ask(project, ada, [uuid.uuid4().bytes for _ in range(count)])


def test_a_project_is_asked_for_once_and_its_keys_end_at_once(project: Project, ada: User) -> None:
    from accounts import api_keys

    _, secret = api_keys.create(project, "ci", ada)
    asker: dict[str, Any] = {"by": ada, "by_name": ada.email, "now": timezone.now()}
    first = asking.whole_project(project, **asker)
    assert asking.whole_project(project, **asker) == first
    assert api_keys.verify(secret) is None


def test_a_session_that_only_waiting_requests_name_takes_all_of_its_trace(
    project: Project, ada: User
) -> None:
    trace_id = made.trace_id()
    for span in (
        made.span(project.id, trace_id, 1, session_id="s-1"),
        made.span(project.id, trace_id, 2, 1),  # names no session
        made.span(project.id, made.trace_id(), 1, session_id="s-2"),
    ):
        deposits.put([arrived.arrival(project.id, span)], now=timezone.now())
    asked = asking.session(project, "s-1", by=ada, by_name=ada.email, now=timezone.now())
    done = worked_off(asked)
    assert (done.state, done.found, done.rows) == (State.DONE, 1, {"spool": 2})
    drain.drain(max_seconds=5)
    assert rows_of(project)["spans"] == 1
