"""Nothing of what was deleted is anywhere: both stores are asked, every file is read."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Project, User
from tests.traces.deletion import planted
from tests.traces.deletion.planted import Run
from traces.deletion import asking, erasing, waiting_rows, work
from traces.models import Deletion
from traces.retention import policies, sweeps
from traces.store import client
from traces.store.filters import Condition, TraceFilter

pytestmark = [
    pytest.mark.usefixtures("store", "quick_disk"),
    pytest.mark.django_db(transaction=True, databases=["default", "spool"]),
]
PLACES = {
    "accounts": set(),
    "database": {
        "admin.LogEntry.object_repr", "debugging.DebuggingSession.report", "debugging.Step.title",
        "detectors.DetectorRun.summary", "detectors.Evidence.text", "detectors.Finding.summary",
        "traces.QuarantinedSpan.content", "traces.QuarantinedSpan.reason",
        "traces.SpoolBatch.content",
    },
    "store": {
        "spans.input", "spans.attributes_string", "spans.events_json", "spans.resource_json",
        "spans.root_input", "trace_index.session_id", "traces.input_preview", "traces.tags",
        "trace_marks.label", "verdicts.summary", "receipts.samples", "receipts.reasons",
        "logs.body", "logs.attributes_string",
    },
}  # fmt: skip


def worked_off(*deletions: Deletion, clock: work.Clock = timezone.now) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        Deletion.objects.update(due_at=datetime(2026, 1, 1, tzinfo=UTC))
        work.run_due("test", max_seconds=5, clock=clock)
        for deletion in deletions:
            deletion.refresh_from_db()
        if not any(deletion.is_open for deletion in deletions):
            break
        time.sleep(0.2)
    for deletion in deletions:
        assert deletion.state == Deletion.State.DONE, stuck(deletion)


def stuck(deletion: Deletion) -> str:
    """What a deletion that does not end is waiting for."""
    asked = {name: value for name, value in deletion.asked.items() if name != "trace_ids"}
    mutations = client.query(
        "SELECT table, command, parts_to_do_names, latest_fail_reason FROM system.mutations"
        " WHERE database = currentDatabase() AND NOT is_done"
    )
    parts = client.query(
        "SELECT table, name, _state, refcount, remove_time FROM system.parts"
        " WHERE database = currentDatabase() AND NOT active"
    )
    queries = client.query("SELECT elapsed, query FROM system.processes")
    return "\n".join(map(str, (deletion.phase, deletion.error, asked, mutations, parts, queries)))


def ask(kind: str, run: Run) -> Deletion:
    now = datetime.now(UTC)
    asker = {"by": run.person, "by_name": run.person.email, "now": now}
    if kind == "traces":
        return asking.traces(run.project, [run.trace_id], **asker)  # type: ignore[arg-type]
    if kind == "session":
        return asking.session(run.project, run.session_id, **asker)  # type: ignore[arg-type]
    if kind == "user":
        return asking.user(run.project, run.user_id, **asker)  # type: ignore[arg-type]
    if kind == "query":
        environment = Condition("environment", "eq", texts=(run.word,))
        wanted = TraceFilter(conditions=(environment,))
        return asking.query(run.project, wanted, **asker)  # type: ignore[arg-type]
    return asking.whole_project(run.project, **asker)  # type: ignore[arg-type]


def is_everywhere(run: Run) -> None:
    assert set(planted.in_store(run.word)) >= PLACES["store"]
    assert set(planted.in_databases(run.word)) >= PLACES["database"]
    files = planted.in_files(run.word)
    assert [name for name in files if name.startswith("mail/")]
    assert [name for name in files if name.startswith("engine/")]


def is_nowhere(run: Run) -> None:
    assert planted.in_store(run.word) == {}
    assert planted.in_databases(run.word) == []
    assert planted.in_files(run.word) == []


def test_planted_words_are_nowhere_after_each_way_of_deletion(
    ada: User, project: Project, other_project: Project, mallory: User
) -> None:
    runs = {
        kind: Run(project, ada, is_of_traces=kind in ("traces", "query"))
        for kind in ("traces", "session", "user", "query")
    }
    beside = Run(other_project, mallory)
    neighbour = Run(project, ada)
    for run in (*runs.values(), beside, neighbour):
        run.plant()
        is_everywhere(run)

    deletions = {kind: ask(kind, run) for kind, run in runs.items()}
    worked_off(*deletions.values())

    for kind, run in runs.items():
        is_nowhere(run)
        done = deletions[kind]
        assert (done.erased, done.rows["spool"], done.rows["quarantine"]) == (1, 1, 1)
        assert done.rows["spans"] >= 2
    assert erasing.detached_parts() == 0
    # What was not asked for is where it was.
    is_everywhere(beside)
    assert "spans.input" in planted.in_store(neighbour.word)
    assert "traces.SpoolBatch.content" in planted.in_databases(neighbour.word)


def test_a_planted_word_is_nowhere_after_the_deletion_of_its_project(
    ada: User, project: Project, other_project: Project, mallory: User
) -> None:
    run, beside = Run(project, ada, is_of_traces=False), Run(other_project, mallory)
    for one in (run, beside):
        one.plant()
    is_everywhere(run)
    deletion = ask("project", run)
    worked_off(deletion)
    is_nowhere(run)
    assert not Project.objects.filter(pk=project.pk).exists()
    assert (deletion.rows["spool"], deletion.rows["quarantine"]) == (1, 1)
    assert deletion.rows["spans"] >= 2
    is_everywhere(beside)


def test_a_planted_word_is_nowhere_after_its_retention_has_ended(
    ada: User, project: Project, other_project: Project, mallory: User
) -> None:
    run, beside = Run(project, ada), Run(other_project, mallory)
    for one in (run, beside):
        one.plant()
        is_everywhere(one)
    policies.set_default(project, 7, ada)
    then = timezone.now() + timedelta(days=8)
    assert sweeps.ask_due(then) == 1
    deletion = Deletion.objects.get()
    worked_off(deletion, clock=lambda: then)
    is_nowhere(run)
    behind_the_mask = client.query(
        "SELECT count() AS n FROM spans WHERE project_id = {p:UUID}"
        " SETTINGS apply_deleted_mask = 0",
        {"p": str(project.pk)},
    )
    assert behind_the_mask[0]["n"] == 0
    is_everywhere(beside)


def test_what_receipts_quote_stays_when_it_is_younger_than_all_that_expired(
    ada: User, project: Project
) -> None:
    run = Run(project, ada)
    run.plant()
    erasing.empty_samples(project.pk, timezone.now() - timedelta(days=1))
    waiting_rows.empty_samples(project.pk, timezone.now() - timedelta(days=1))
    is_everywhere(run)
