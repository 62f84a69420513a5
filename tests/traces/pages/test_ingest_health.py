"""The ingest health page: every figure from real requests, and what it says of nothing."""

from __future__ import annotations

import html
import json
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts import api_keys
from accounts.models import ApiKey, Project, User
from tests.cast import SignIn
from tests.traces import arrived, made
from traces import settle
from traces.ingest import arrivals, health
from traces.ingest.arrivals import Arrival
from traces.ingest.breaker import Breaker
from traces.ingest.refusals import Refusals
from traces.ingest.storing import Storing
from traces.otlp import decoder
from traces.otlp.arrived import Arrived
from traces.otlp.decoded import Rejection
from traces.otlp.signals import Signal
from traces.semconv import agent_metrics, log_records
from traces.store.engine.process import EngineProcess

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "spool"]),
    pytest.mark.usefixtures("store"),
]


@pytest.fixture
def key(project: Project, ada: User) -> ApiKey:
    return api_keys.create(project, "Production agents", ada)[0]


@pytest.fixture
def browser(vera: User, sign_in: SignIn) -> Client:
    return sign_in(vera)


def send(*arrivals: Arrival) -> None:
    storing = Storing(Breaker(pause_seconds=60))
    storing.store(arrivals)
    storing.acknowledge(arrivals)


def figures(project: Project) -> health.Health:
    from datetime import UTC, datetime

    return health.of(project.id, since_ns=0, until_ns=2**63, since=datetime(2020, 1, 1, tzinfo=UTC))


def page(browser: Client, project: Project, **query: str) -> str:
    url = reverse("traces:ingest_health", kwargs={"project_id": project.id})
    answer = browser.get(url, query)
    assert answer.status_code == 200
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(html.unescape(text).split())


def test_figures_are_told_apart_by_key(project: Project, key: ApiKey) -> None:
    trace_id, other = made.trace_id(), uuid.uuid4()
    one = [made.span(project.id, trace_id, n) for n in (1, 1, 2)]
    old = made.span(project.id, trace_id, 3, end_ns=made.SECOND)
    send(arrived.arrival(project.id, *one, key_id=key.id))
    send(arrived.arrival(project.id, made.span(project.id, trace_id, 2), old, key_id=other))
    found = figures(project)
    mine, others = found.by_key[key.id], found.by_key[other]
    assert (mine.accepted, mine.distinct, mine.duplicate, mine.late) == (3, 2, 1, 0)
    assert (others.accepted, others.distinct, others.duplicate, others.late) == (2, 2, 0, 1)
    total = found.total
    assert (total.requests, total.accepted, total.distinct, total.duplicate) == (2, 5, 3, 2)
    assert mine.sdks == ("opentelemetry 1.38.0",)
    assert (mine.compressed_bytes, mine.body_bytes) == (100, 400)


def test_rejections_and_refusals_have_reasons_and_samples(project: Project, key: ApiKey) -> None:
    rejected = [Rejection("span 'plan' (00ff): trace id is all zeros", 4)]
    send(arrived.arrival(project.id, rejected=rejected, key_id=key.id))
    refusals = Refusals()
    for _ in range(3):
        refusals.note(project.id, key.id, 400, "Malformed: not protobuf.", 11)
    refusals.note(None, None, 401, "No key.", 0)
    refusals.flush()
    found = figures(project)
    assert (found.total.rejected, found.total.refused_requests) == (4, 3)
    spans, requests = found.reasons
    assert (spans.reason, spans.refused_with, spans.times) == ("trace id is all zeros", 0, 4)
    assert (spans.what, requests.what) == ("span", "request")
    assert spans.samples == ("span 'plan' (00ff): trace id is all zeros",)
    assert (requests.refused_with, requests.times) == (400, 3)


def of_signal(project: Project, key: ApiKey, signal: Signal, body: dict[str, object]) -> Arrival:
    sent = json.dumps(body).encode()
    decoded = decoder.decode(sent, "json", signal)
    origin: dict[str, Any] = {"project_id": project.id, "received_ns": 5_000_000_000}
    rejected = list(decoded.rejected)
    logs, usage = [], []
    if signal == "logs":
        logs = log_records.of(decoded.records, **origin)
    else:
        usage, refused = agent_metrics.of(decoded.records, **origin)
        rejected += refused
    found = Arrived(
        spans=(), logs=logs, usage=usage, signal=signal, rejected=rejected, encoding="json",
        received_ns=time.time_ns(), content_encoding="", compressed_bytes=len(sent),
        body_bytes=len(sent),
    )  # fmt: skip
    return arrivals.of(found, key_id=key.id, project_id=project.id, retention_days=0)


def test_log_records_and_data_points_count_under_their_own_names(
    browser: Client, project: Project, key: ApiKey, settings: Settings
) -> None:
    settings.INGEST_MAX_VALUE_CHARS = 1_000
    records = [
        {"body": {"stringValue": "x" * 3_000}},
        {"body": {"stringValue": "y"}},
        {"timeUnixNano": "soon"},
    ]
    model = {"key": "model", "value": {"stringValue": "m" * 5_000}}
    counter: dict[str, object] = {
        "name": "claude_code.cost.usage",
        "sum": {
            "aggregationTemporality": 1,
            "dataPoints": [{"asDouble": 1, "attributes": [model]}, {"asDouble": -1}],
        },
    }
    send(
        arrived.arrival(project.id, key_id=key.id),
        of_signal(
            project, key, "logs", {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
        ),
        of_signal(
            project,
            key,
            "metrics",
            {"resourceMetrics": [{"scopeMetrics": [{"metrics": [counter]}]}]},
        ),
    )
    found = figures(project).by_key[key.id]
    assert (found.accepted, found.rejected, found.truncated) == (2, 0, 0)
    assert (found.logs, found.logs_rejected, found.logs_truncated) == (2, 1, 1)
    assert (found.points, found.points_rejected, found.points_truncated) == (1, 1, 1)
    assert {reason.what for reason in figures(project).reasons} == {"log record", "data point"}
    said = page(browser, project)
    assert "Log records and metrics Key Log records Rejected Truncated" in said
    assert "a data point's value is -1.0" in said


def test_orphans_count_for_the_key_that_began_their_trace(
    browser: Client, project: Project, key: ApiKey
) -> None:
    broken, whole, later = made.trace_id(), made.trace_id(), uuid.uuid4()
    orphan = made.span(project.id, broken, 3, 2)
    send(arrived.arrival(project.id, made.span(project.id, broken, 1), key_id=key.id))
    send(arrived.arrival(project.id, orphan, key_id=later))
    send(arrived.arrival(project.id, made.span(project.id, whole, 1), key_id=later))
    settle.settle_quiet()
    found = figures(project)
    assert (found.by_key[key.id].orphaned, found.by_key[later].orphaned) == (1, 0)
    assert found.orphaned == 1
    assert figures(project).total.accepted == 3


def test_refusals_wait_for_an_engine_that_is_away(
    store: EngineProcess, project: Project, key: ApiKey
) -> None:
    refusals = Refusals()
    refusals.note(project.id, key.id, 415, "Not OTLP.", 2)
    store.stop()
    try:
        with pytest.raises(Exception, match="cannot be reached"):
            refusals.flush()
        refusals.note(project.id, key.id, 415, "Not OTLP.", 2)
    finally:
        store.start()
    refusals.flush()
    refusals.flush()
    [reason] = figures(project).reasons
    assert (reason.times, reason.refused_with) == (2, 415)


def test_the_page_shows_them(browser: Client, project: Project, key: ApiKey) -> None:
    rejected = [Rejection("span 'plan' (00ff): trace id is all zeros", 4)]
    send(arrived.arrival(project.id, rejected=rejected, key_id=key.id))
    said = page(browser, project)
    assert "Production agents" in said
    assert "opentelemetry 1.38.0" in said
    assert "trace id is all zeros" in said
    assert "span 'plan' (00ff)" in said
    assert "nothing waits" in said


def test_a_key_that_is_gone_keeps_its_figures(browser: Client, project: Project) -> None:
    send(arrived.arrival(project.id, key_id=uuid.uuid4()))
    assert "A key that was removed" in page(browser, project)


def test_nothing_arrived_says_so_and_what_to_do(browser: Client, project: Project) -> None:
    assert "Look at the last 7 days" in page(browser, project, range="1h")
    assert "Send a first span" in page(browser, project, range="7d")
    assert "The last 24 hours" in page(browser, project, range="nonsense")


@pytest.fixture
def outage(store: EngineProcess) -> Iterator[EngineProcess]:
    store.stop()
    yield store
    if not store.is_running:
        store.start()


def test_what_waits_in_the_spool_is_shown(
    browser: Client, project: Project, key: ApiKey, outage: EngineProcess
) -> None:
    Storing(Breaker(pause_seconds=60)).store([arrived.arrival(project.id, key_id=key.id)])
    outage.start()
    said = page(browser, project)
    assert "What waits was acknowledged and is safe" in said
    assert "In the spool 2 spans" in said
    assert "Production agents" in said
    assert "0 +2 spooled" in said


def test_what_is_in_quarantine_is_shown_with_its_reason(
    browser: Client, project: Project, key: ApiKey
) -> None:
    Storing(Breaker()).store([arrived.poisonous(project.id)])
    said = page(browser, project)
    assert "In quarantine" in said
    assert f"{made.span_id(1).hex()}" in said


def test_another_projects_figures_are_not_shown(
    browser: Client, project: Project, other_project: Project
) -> None:
    send(arrived.arrival(other_project.id, rejected=[Rejection("span 'secret': no", 1)]))
    assert "secret" not in page(browser, project)
