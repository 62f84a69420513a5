"""From a settled trace to verdict, finding, mark and outbox, on the real engine."""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import override_settings
from django.utils import timezone

from accounts.models import Project, User
from detectors import defaults, findings, runs, sweep, tasks
from detectors.models import (
    AlertDelivery,
    Detector,
    DetectorRun,
    Evidence,
    Finding,
    SweepCursor,
)
from detectors.readiness import NO_MODEL, why_off
from sdk.demo.model_server import ModelServer
from sdk.demo.scripting import Call, Reply, Rule, Script
from tests.detectors.conftest import BROKEN, MENDED, Detect, run_checks
from tests.detectors.traces import span, store_trace
from traces import settle
from traces.store import client
from traces.store.engine.process import EngineProcess
from traces.store.filters import TraceFilter
from traces.store.reader import SpanReader

CHECK, JUDGE = Detector.Kind.CHECK, Detector.Kind.JUDGE


def verdict_rows(project: Project) -> list[dict[str, object]]:
    return client.query(
        "SELECT outcome, hex(trace_id) AS trace FROM verdicts FINAL "
        "WHERE project_id = {p:UUID} ORDER BY trace, outcome",
        {"p": str(project.pk)},
    )


def test_a_failed_tool_call_becomes_a_finding_with_proof(detect: Detect, project: Project) -> None:
    trace_id = detect()
    [finding] = Finding.objects.for_project(project)
    assert (finding.trace_id, finding.generation, finding.status) == (trace_id, 1, "open")
    assert finding.detector.template == "tool_failure"
    assert finding.span_id == "0000000000000002"
    [evidence] = Evidence.objects.filter(finding=finding)
    assert (evidence.text, evidence.field, evidence.is_verified) == (
        "fare_not_refundable",
        "event",
        True,
    )
    assert (evidence.span_name, evidence.span_kind) == ("refund", "tool")


def test_every_run_leaves_a_verdict_and_the_trace_is_marked(
    detect: Detect, project: Project
) -> None:
    detect()
    assert [row["outcome"] for row in verdict_rows(project)] == ["fail", "pass"]
    [row] = SpanReader(project.pk).traces(TraceFilter()).rows
    assert row.findings
    states = set(DetectorRun.objects.for_project(project).values_list("state", "outcome"))
    assert states == {("done", "fail")}, "what passes at once needs no run"


def test_a_sound_trace_gets_verdicts_and_no_finding(detect: Detect, project: Project) -> None:
    detect([span(1, "agent"), span(2, name="refund", parent=1, output="refunded")])
    assert [row["outcome"] for row in verdict_rows(project)] == ["pass", "pass"]
    assert not DetectorRun.objects.exists()
    assert not Finding.objects.exists()


def test_what_looks_like_a_failure_and_is_none_passes_by_a_run(
    detect: Detect, project: Project
) -> None:
    detect([span(1, "agent"), span(2, name="look", parent=1, input="1", output='{"error": 0}')])
    [run] = DetectorRun.objects.for_project(project)
    assert (run.detector.template, run.state, run.outcome) == ("tool_failure", "done", "pass")
    assert [row["outcome"] for row in verdict_rows(project)] == ["pass", "pass"]


def test_a_later_generation_that_recovers_takes_the_finding_back(
    detect: Detect, project: Project
) -> None:
    trace_id = detect()
    detect([*BROKEN, *MENDED], bytes.fromhex(trace_id))
    [finding] = Finding.objects.for_project(project)
    assert (finding.status, finding.decided_at) == ("dismissed", None)
    assert finding.note == findings.WITHDRAWN
    [row] = SpanReader(project.pk).traces(TraceFilter()).rows
    assert not row.findings


def test_a_later_generation_updates_the_finding_and_tells_nobody_twice(
    detect: Detect, project: Project
) -> None:
    trace_id = detect()
    worse = span(3, name="mail", parent=1, status="error", status_message="mailbox full")
    detect([*BROKEN, worse], bytes.fromhex(trace_id))
    [finding] = Finding.objects.for_project(project)
    assert finding.generation == 2
    assert finding.evidence.count() == 2
    assert AlertDelivery.objects.count() == 1


def test_what_a_person_decided_survives_a_later_generation(
    detect: Detect, project: Project, ben: User
) -> None:
    trace_id = detect()
    findings.dismiss(Finding.objects.get(), by=ben, now=timezone.now(), note="known")
    detect([*BROKEN, span(4, "llm", parent=1)], bytes.fromhex(trace_id))
    finding = Finding.objects.get()
    assert (finding.status, finding.decided_by, finding.generation) == ("dismissed", ben, 2)
    [row] = SpanReader(project.pk).traces(TraceFilter()).rows
    assert not row.findings


def test_sweeping_again_makes_no_second_run(detect: Detect, project: Project) -> None:
    detect()
    before = DetectorRun.objects.count()
    run_checks()
    SweepCursor.objects.update(settled_at=dt.datetime(1970, 1, 2, tzinfo=dt.UTC))
    run_checks()
    assert DetectorRun.objects.filter(project=project).count() == before == 1


def test_a_page_that_ends_within_one_instant_loses_no_trace(
    store: EngineProcess, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(7):
        store_trace(project.pk, BROKEN)
    settle.settle_quiet()
    monkeypatch.setattr(sweep, "PAGE", 2)
    runs = DetectorRun.objects.for_project(project).values("trace_id").distinct()
    for _ in range(50):  # what other tests left in the store is swept before
        run_checks()
        if runs.count():
            break
    run_checks()
    assert runs.count() == 7


def test_evaluation_traces_are_left_out(detect: Detect, project: Project) -> None:
    detect([span(1, "agent", is_evaluation=True), span(2, name="t", parent=1, status="error")])
    assert not DetectorRun.objects.for_project(project).exists()


def test_a_detector_may_ask_for_evaluation_traces(detect: Detect, project: Project) -> None:
    defaults.ensure(project)
    asking = Detector.objects.for_project(project).get(template="tool_failure")
    asking.includes_evaluations = True
    asking.save()
    detect([span(1, "agent", is_evaluation=True), span(2, name="t", parent=1, status="error")])
    assert {run.detector for run in DetectorRun.objects.for_project(project)} == {asking}


def test_traces_of_our_own_judge_are_skipped(detect: Detect, project: Project) -> None:
    scope = '{"name": "traceroot.judge"}'
    detect([span(1, name="t", status="error", status_message="x", scope_json=scope)])
    assert set(DetectorRun.objects.values_list("outcome", flat=True)) == {"skipped"}
    assert not Finding.objects.exists()


def test_a_trace_of_a_deleted_project_is_passed_over(
    store: EngineProcess, project: Project
) -> None:
    store_trace(uuid.uuid4(), BROKEN)
    settle.settle_quiet()
    run_checks()
    assert not DetectorRun.objects.exists()


def test_a_detector_that_is_off_gets_no_runs(detect: Detect, project: Project) -> None:
    Detector.objects.filter(template="tool_failure").update(is_enabled=False)
    detect()
    assert not DetectorRun.objects.exists()
    assert [row["outcome"] for row in verdict_rows(project)] == ["pass"], "of the repeated call"


def test_without_a_model_the_judge_is_off_and_says_why(detect: Detect, project: Project) -> None:
    detect()
    judge = Detector.objects.get(kind=JUDGE, project=project)
    assert why_off(judge) == NO_MODEL
    assert not DetectorRun.objects.filter(detector=judge).exists()


def test_a_run_whose_worker_died_is_taken_over(detect: Detect, project: Project) -> None:
    detect()
    now = timezone.now()
    Finding.objects.all().delete()
    DetectorRun.objects.update(
        state="running",
        lease_owner="dead",
        lease_expires_at=now + dt.timedelta(seconds=60),
        outcome="",
    )
    assert runs.run_due(CHECK, seconds=5) == 0, "the lease still holds"
    DetectorRun.objects.update(lease_expires_at=now - dt.timedelta(seconds=1))
    assert runs.run_due(CHECK, seconds=5) == 1
    assert Finding.objects.count() == 1
    assert len(verdict_rows(project)) == 2, "the same rows again replace themselves"


def test_a_worker_that_lost_its_lease_writes_nothing(detect: Detect, project: Project) -> None:
    detect()
    Finding.objects.all().delete()
    DetectorRun.objects.update(state="pending")
    claimed = runs.claim(CHECK, timezone.now())
    DetectorRun.objects.update(lease_owner="somebody else")
    runs.work(claimed, timezone.now)
    assert not Finding.objects.exists()
    assert set(DetectorRun.objects.values_list("state", flat=True)) == {"running"}


def test_a_run_that_kills_its_workers_ends_as_failed(detect: Detect, project: Project) -> None:
    detect()
    DetectorRun.objects.update(state="pending", attempts=runs.MAX_ATTEMPTS)
    runs.run_due(CHECK, seconds=5)
    run = DetectorRun.objects.first()
    assert run is not None
    assert (run.state, run.verdict_name) == ("failed", "judge_error")
    assert "Given up after 5 attempts" in run.error


def test_with_the_store_down_runs_wait_and_go_on_afterwards(
    detect: Detect, project: Project, engine: EngineProcess
) -> None:
    detect()
    Finding.objects.all().delete()
    DetectorRun.objects.update(state="pending", attempts=0)
    engine.stop()
    client.forget()
    try:
        assert runs.run_due(CHECK, seconds=5) == 0
        cache.clear()  # a sweep that took long rests
        tasks.sweep_settled()
        waiting = DetectorRun.objects.first()
        assert waiting is not None
        assert (waiting.state, waiting.attempts) == ("pending", 0)
        assert "trace store" in waiting.error
    finally:
        engine.start()
        publish(engine)
    DetectorRun.objects.update(due_at=timezone.now())
    assert runs.run_due(CHECK, seconds=20) == 1
    assert Finding.objects.count() == 1


def publish(engine: EngineProcess) -> None:
    client.engine_file().write_text(json.dumps({"url": engine.url, "token": engine.token}))


def test_the_judge_gives_a_finding_through_the_whole_pipeline(
    detect: Detect, project: Project
) -> None:
    verdict = {
        "outcome": "fail",
        "confidence": 0.8,
        "summary": "It claimed a refund that was refused.",
        "claims": [
            {
                "claim": "Refused.",
                "quotes": [{"step": 2, "field": "error", "text": "fare_not_refundable"}],
            }
        ],
    }
    rules = [Rule(Reply(calls=(Call("report_verdict", verdict),), usage=(900, 60)))]
    with (
        ModelServer(Script(rules)) as server,
        override_settings(JUDGE_MODEL="scripted", JUDGE_BASE_URL=server.url),
    ):
        Detector.objects.filter(kind=JUDGE).update(sample_rate=1.0)
        detect()
        assert runs.run_due(JUDGE, seconds=20) == 1
    run = DetectorRun.objects.get(detector__kind=JUDGE)
    assert (run.state, run.outcome, run.input_tokens) == ("done", "fail", 900)
    finding = Finding.objects.get(detector__kind=JUDGE)
    assert finding.summary == "It claimed a refund that was refused."
    assert finding.evidence.get().is_verified
    lead = server.requests[0]["messages"][1]["content"]
    assert "Leads from automatic checks" in lead


def test_a_judge_that_cannot_be_had_ends_as_failed_with_the_reason(
    detect: Detect, project: Project
) -> None:
    rules = [Rule(Reply(status=401, error="Incorrect API key provided"))]
    with (
        ModelServer(Script(rules)) as server,
        override_settings(JUDGE_MODEL="scripted", JUDGE_BASE_URL=server.url),
    ):
        Detector.objects.filter(kind=JUDGE).update(sample_rate=1.0)
        detect()
        runs.run_due(JUDGE, seconds=20)
    run = DetectorRun.objects.get(detector__kind=JUDGE)
    assert run.state == "failed"
    assert "Incorrect API key provided" in run.error


def test_two_sweepers_do_not_sweep_at_once(store: EngineProcess, db: None) -> None:
    now = timezone.now()
    assert sweep.hold("one", now)
    assert not sweep.hold("two", now)
    assert sweep.hold("one", now), "renewed by its owner"
    assert sweep.hold("two", now + sweep.LEASE), "free when its holder died"


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_take_the_same_run(detect: Detect, project: Project) -> None:
    detect()
    DetectorRun.objects.update(state="pending")
    taken: list[uuid.UUID] = []

    def take() -> None:
        taken.extend(run.pk for run in runs.claim(CHECK, timezone.now()))
        connection.close()

    workers = [threading.Thread(target=take) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == sorted(DetectorRun.objects.values_list("pk", flat=True))
