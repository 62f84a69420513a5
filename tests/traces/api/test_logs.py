"""The log records of a trace in the public API, and what its spans get from them."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Project
from tests.traces import made
from tests.traces.api.test_normalized import get
from tests.traces.semconv.raw_spans import raw
from tests.traces.semconv.test_log_records import record
from traces import settle
from traces.logs import Log
from traces.semconv import normalize
from traces.store import log_rows, writer

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db]


def store_logs(project: Project, *logs: Log) -> None:
    for log in logs:
        log.project_id = project.id
    batch = log_rows.to_batch(logs, project_id=project.id, received_ns=made.time.time_ns())
    writer.insert([batch])


@pytest.fixture
def trace_id(project: Project) -> bytes:
    """A model call of Ada's whose messages travel as log records."""
    trace_id, span_id = made.trace_id(), made.span_id(1)
    call = raw({"gen_ai.request.model": "gpt-4o"}, trace_id=trace_id, span_id=span_id, name="chat")
    made.stored(*normalize.spans([call], project_id=project.id, received_ns=2**60))
    of = {"trace_id": trace_id, "span_id": span_id}
    store_logs(
        project,
        record("gen_ai.user.message", {"gen_ai.system": "openai"}, body={"content": "Hi"}, **of),
        record("gen_ai.choice", body={"message": {"content": "Ho"}}, time_ns=2_000, **of),
        record("", body="plain", severity_number=13, time_ns=3_000, trace_id=trace_id, span_id=b""),
    )
    settle.settle_quiet()
    return trace_id


def test_contents_come_with_the_traces_log_records(trace_id: bytes, api_key: str) -> None:
    body = get(trace_id, api_key, "full")
    asked, answered, plain = body["logs"]
    assert (asked["event_name"], asked["body"]) == ("gen_ai.user.message", {"content": "Hi"})
    assert asked["attributes"] == {"gen_ai.system": "openai"}
    assert (asked["span_id"], answered["span_id"]) == (made.span_id(1).hex(),) * 2
    assert (plain["body"], plain["level"], plain["span_id"]) == ("plain", "warn", None)
    assert plain["time"] == "1970-01-01T00:00:00.000003Z"
    assert "normalized" not in asked


def test_normalized_records_bear_the_shared_names(trace_id: bytes, api_key: str) -> None:
    body = get(trace_id, api_key, "full,normalized")
    asked = body["logs"][0]["normalized"]
    assert (asked["kind"], asked["provider"], asked["level"]) == ("llm", "openai", "info")
    assert asked["input_messages"] == [{"role": "user", "content": "Hi"}]


def test_a_span_has_the_messages_of_its_records(trace_id: bytes, api_key: str) -> None:
    [span] = get(trace_id, api_key, "full,normalized")["spans"]
    assert span["normalized"]["input_messages"] == [{"role": "user", "content": "Hi"}]
    assert span["normalized"]["output_messages"] == [{"role": "assistant", "content": "Ho"}]
    assert "Hi" in span["input"]


def test_a_skeleton_has_none(trace_id: bytes, api_key: str) -> None:
    assert "logs" not in get(trace_id, api_key, "skeleton")


def test_records_of_another_project_stay_there(
    trace_id: bytes, other_project: Project, api_key: str
) -> None:
    store_logs(other_project, record("stolen", trace_id=trace_id, span_id=made.span_id(1)))
    assert len(get(trace_id, api_key, "full")["logs"]) == 3


def test_the_export_takes_them_too(trace_id: bytes, api_key: str) -> None:
    answer = Client().get(
        f"/api/v1/public/traces/{trace_id.hex()}/export",
        headers={"Authorization": f"Bearer {api_key}"},
    )
    assert len(answer.json()["trace"]["logs"]) == 3
