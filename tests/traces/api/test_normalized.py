"""`fields=normalized`: the shared field names beside the published shape, which stays as it is."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from django.test import Client

from accounts.models import Project
from tests.traces import made
from tests.traces.semconv.raw_spans import raw
from traces import settle
from traces.semconv import normalize
from traces.spans import RawSpan, SpanEvent

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db]
ASKED = '[{"role":"user","parts":[{"type":"text","content":"Weather?"}]}]'


def get(trace_id: bytes, key: str, fields: str = "") -> Any:
    answer = Client().get(
        f"/api/v1/public/traces/{trace_id.hex()}",
        {"fields": fields} if fields else {},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.fixture
def trace_id(project: Project) -> bytes:
    """An agent of Ada's that calls a model, as an emitter sent it."""
    trace_id = made.trace_id()
    sent: list[RawSpan] = [
        raw(
            {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "forecaster",
             "input": "Weather?", "user.id": "ada", "metadata": '{"plan": "pro"}'},
            trace_id=trace_id, span_id=made.span_id(1), name="invoke_agent forecaster",
        ),
        raw(
            {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
             "gen_ai.input.messages": ASKED, "gen_ai.request.temperature": math.nan,
             "gen_ai.request.top_p": 0.5, "gen_ai.usage.input_tokens": 9,
             "gen_ai.system_instructions": "Be kind."},
            trace_id=trace_id, span_id=made.span_id(2), parent_span_id=made.span_id(1), name="chat",
            events=[SpanEvent(1_500, "gen_ai.choice", {"message": '{"content": "Rain."}'})],
        ),
    ]  # fmt: skip
    made.stored(*normalize.spans(sent, project_id=project.id, received_ns=2**60))
    settle.settle_quiet()
    return trace_id


def test_nothing_is_added_unasked(trace_id: bytes, api_key: str) -> None:
    for fields in ("", "full", "skeleton"):
        body = get(trace_id, api_key, fields)
        assert "normalized" not in body
        assert all("normalized" not in span for span in body["spans"])


def test_each_span_and_the_trace_get_the_shared_names(trace_id: bytes, api_key: str) -> None:
    body = get(trace_id, api_key, "full,normalized")
    agent, call = (span["normalized"] for span in body["spans"])
    assert (agent["kind"], agent["agent_name"], agent["user_id"]) == ("agent", "forecaster", "ada")
    assert agent["metadata"] == {"plan": "pro"}
    assert call["parent_span_id"] == made.span_id(1).hex()
    assert call["input_messages"] == [{"role": "user", "content": "Weather?"}]
    assert call["output_messages"] == [{"role": "assistant", "content": "Rain."}]
    assert call["system_instructions"] == "Be kind."
    assert call["params"] == {"temperature": "nan", "top_p": 0.5}
    assert call["input_tokens"] == 9
    assert len(call["prompt_hash"]) == 16, "the hash is stored"
    assert body["normalized"]["span_count"] == 2
    trace = body["normalized"]["trace"]
    assert (trace["name"], trace["user_id"]) == ("invoke_agent forecaster", "ada")
    assert (trace["input"], trace["metadata"]) == ("Weather?", {"plan": "pro"})


def test_the_export_takes_it_too(trace_id: bytes, api_key: str) -> None:
    answer = Client().get(
        f"/api/v1/public/traces/{trace_id.hex()}/export",
        {"fields": "core,normalized"},
        headers={"Authorization": f"Bearer {api_key}"},
    )
    assert all("normalized" in span for span in json.loads(answer.content)["spans"])
