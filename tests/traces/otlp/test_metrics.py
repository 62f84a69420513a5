"""Metrics: usage counters of coding agents are kept, everything else is refused with its reason."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from tests.traces.otlp.requests import attribute
from tests.traces.otlp.test_receiver import LIMITS, GoodKey, Sender, authorize, scope
from traces.agent_usage import AgentUsage
from traces.otlp import decoder
from traces.otlp.arrived import Arrived
from traces.otlp.decoder import Encoding
from traces.otlp.receiver import Receiver
from traces.semconv import agent_metrics
from traces.store import usage_rows, writer
from traces.store.engine.process import EngineProcess
from traces.store.reader import SpanReader

PROJECT = uuid.UUID(int=10)
SECOND = 10**9


def point(value: Any, kind: str = "", at: int = 5, start: int = 1, **fields: Any) -> dict[str, Any]:
    named = {"type": kind} if kind else {}
    texts = {"model": "claude-opus-4-7", "session.id": "s1", **named}
    return {
        "startTimeUnixNano": str(start * SECOND),
        "timeUnixNano": str(at * SECOND),
        "asDouble": value,
        "attributes": [attribute(key, {"stringValue": text}) for key, text in texts.items()],
        **fields,
    }


def metric(name: str, *points: Any, temporality: Any = 1, kind: str = "sum") -> dict[str, Any]:
    return {"name": name, kind: {"aggregationTemporality": temporality, "dataPoints": list(points)}}


def body(*metrics: Any) -> bytes:
    resource = {"attributes": [attribute("service.name", {"stringValue": "claude-code"})]}
    group = {"resource": resource, "scopeMetrics": [{"metrics": list(metrics)}]}
    return json.dumps({"resourceMetrics": [group]}).encode()


def kept(sent: bytes, project_id: uuid.UUID = PROJECT) -> tuple[list[AgentUsage], list[Any]]:
    decoded = decoder.decode(sent, "json", "metrics")
    usage, refused = agent_metrics.of(decoded.records, project_id=project_id, received_ns=9)
    return usage, [*decoded.rejected, *refused]


def test_tokens_and_cost_of_claude_code_are_kept() -> None:
    usage, refused = kept(
        body(
            metric(
                "claude_code.token.usage",
                *(point(n, kind) for n, kind in enumerate(("input", "cacheRead", "cacheCreation"))),
            ),
            metric("claude_code.cost.usage", point(0.25)),
        )
    )
    assert refused == []
    assert [(one.counted, one.value) for one in usage] == [
        ("input", 0),
        ("cache_read", 1),
        ("cache_write", 2),
        ("cost_usd", 0.25),
    ]
    one = usage[0]
    assert (one.agent, one.model, one.session_id) == ("claude_code", "claude-opus-4-7", "s1")
    assert (one.service_name, one.is_delta, one.time_ns) == ("claude-code", True, 5 * SECOND)


def test_codex_counts_in_histograms_and_its_total_restates() -> None:
    points = [
        {"sum": 7, "count": 1, "attributes": [attribute("token_type", {"stringValue": kind})]}
        for kind in ("total", "input", "reasoning_output")
    ]
    usage, refused = kept(body(metric("codex.turn.token_usage", *points, kind="histogram")))
    assert refused == []
    assert [one.counted for one in usage] == ["input", "reasoning"]


@pytest.mark.parametrize(
    ("sent", "count", "reason"),
    [
        (
            metric("http.server.duration", point(1), point(2)),
            2,
            "only the usage counters of coding",
        ),
        (metric("claude_code.token.usage", point(1, "smell")), 1, "type is 'smell', which is not"),
        (metric("claude_code.cost.usage", point(-1)), 1, "a data point's value is -1.0"),
        (metric("claude_code.cost.usage", point("NaN")), 1, "a data point's value is nan"),
        (metric("claude_code.cost.usage", point(1, flags=1)), 1, "a data point has no value"),
        (metric("claude_code.cost.usage", point(1), kind="gauge"), 1, "it is a gauge, not a sum"),
        (metric("claude_code.cost.usage", point(1), kind="summary"), 1, "it is a summary"),
        (metric("claude_code.cost.usage", {"asInt": "x"}), 1, "dataPoints[0]: doubleValue is 'x'"),
    ],
)
def test_what_is_not_counted_is_refused_with_its_reason(sent: Any, count: int, reason: str) -> None:
    usage, refused = kept(body(sent))
    assert usage == []
    [rejection] = refused
    assert rejection.count == count
    assert reason in rejection.reason


def protobuf() -> bytes:
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.add(key="service.name").value.string_value = "claude-code"
    named = group.scope_metrics.add().metrics.add(name="claude_code.token.usage")
    named.sum.aggregation_temporality = 1  # type: ignore[assignment]
    one = named.sum.data_points.add(
        as_double=3, time_unix_nano=5 * SECOND, start_time_unix_nano=SECOND
    )
    for key, text in (("model", "claude-opus-4-7"), ("session.id", "s1"), ("type", "input")):
        one.attributes.add(key=key).value.string_value = text
    other = group.scope_metrics[0].metrics.add(name="http.server.duration")
    other.exponential_histogram.data_points.add()
    return request.SerializeToString()


def test_both_encodings_give_the_same() -> None:
    [from_json], _ = kept(body(metric("claude_code.token.usage", point(3, "input"))))
    decoded = decoder.decode(protobuf(), "protobuf", "metrics")
    [from_protobuf], _ = agent_metrics.of(decoded.records, project_id=PROJECT, received_ns=9)
    assert from_json == from_protobuf


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_the_answer_counts_the_refused_points(encoding: Encoding) -> None:
    written: list[AgentUsage] = []

    async def write(usage: Sequence[AgentUsage]) -> None:
        written.extend(usage)

    def prepare(arrived: Arrived, key: GoodKey) -> Sequence[AgentUsage]:
        return arrived.usage

    sent = protobuf() if encoding == "protobuf" else body(metric("cpu", point(1), point(2)))
    kind = "application/x-protobuf" if encoding == "protobuf" else "application/json"
    sender = Sender([sent])
    receiver = Receiver(authorize, prepare, write, LIMITS, now_ns=lambda: 9)
    asyncio.run(receiver(scope("/v1/metrics", content_type=kind), sender.receive, sender.send))
    assert sender.response.status == 200
    if encoding == "json":
        partial = json.loads(sender.response.body)["partialSuccess"]
        assert partial["rejectedDataPoints"] == "2"
        assert "metric 'cpu': only the usage counters" in partial["errorMessage"]
    else:
        answer = ExportMetricsServiceResponse.FromString(sender.response.body)
        assert answer.partial_success.rejected_data_points == 1
        assert [one.value for one in written] == [3]


def amounts(project_id: uuid.UUID, since: int, until: int) -> dict[str, int]:
    """By seconds of 1970."""
    found = SpanReader(project_id).agent_usage(moment(since), moment(until))
    told = Counter[str]()
    for one in found:
        told.update(input=one.usage.uncached_input, output=one.usage.output)
    return dict(+told)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.usefixtures("store")
def test_points_are_added_up_once_whatever_their_temporality(store: EngineProcess) -> None:
    project_id = uuid.uuid4()
    name = "claude_code.token.usage"
    delta = metric(name, *(point(10, "input", at=n, start=n - 1) for n in (2, 3, 4)))
    running = metric(
        name, *(point(n * 100, "output", at=n, start=1) for n in (2, 3, 4)), temporality=2
    )
    restarted = metric(name, point(5, "output", at=5, start=5), temporality="CUMULATIVE")
    for _ in range(2):  # sent again
        usage, _ = kept(body(delta, running, restarted), project_id)
        writer.insert([usage_rows.to_batch(usage, project_id=project_id, received_ns=9)])
    assert amounts(project_id, 0, 10) == {"input": 30, "output": 405}
    assert amounts(project_id, 3, 10) == {"input": 20, "output": 205}
    assert amounts(uuid.uuid4(), 0, 10) == {}
