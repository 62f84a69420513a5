"""Log records from both encodings: equal content gives equal records, a bad one costs itself, and
what was posted to the wrong place is told where to go.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2

from tests.traces.otlp.requests import (
    SPAN_ID,
    TRACE_ID,
    attribute,
    json_request,
    json_span,
    protobuf_request,
    protobuf_span,
)
from traces import logs
from traces.otlp import decoder, deep_values
from traces.otlp.decoder import MalformedBody
from traces.otlp.signals import Signal


def json_logs(*records: Any) -> bytes:
    group = {"scope": {"name": "acme.support", "version": "2"}, "logRecords": list(records)}
    resource = {"attributes": [attribute("service.name", {"stringValue": "support"})]}
    return json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [group]}]}).encode()


def json_log(**fields: Any) -> dict[str, Any]:
    known = {
        "timeUnixNano": "1000",
        "observedTimeUnixNano": 1500,
        "severityNumber": "SEVERITY_NUMBER_INFO2",
        "severityText": "Information",
        "eventName": "refund.asked",
        "traceId": TRACE_ID.hex().upper(),
        "spanId": SPAN_ID.hex(),
        "body": {"stringValue": "hello"},
        "attributes": [attribute("amount", {"intValue": "7"})],
    }
    return {**known, **fields}


def protobuf_logs(**fields: Any) -> ExportLogsServiceRequest:
    known: dict[str, Any] = {
        "time_unix_nano": 1000,
        "observed_time_unix_nano": 1500,
        "severity_number": 10,
        "severity_text": "Information",
        "event_name": "refund.asked",
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "body": common_pb2.AnyValue(string_value="hello"),
        "attributes": [
            common_pb2.KeyValue(key="amount", value=common_pb2.AnyValue(int_value=7)),
        ],
    }
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.add(key="service.name").value.string_value = "support"
    scope = group.scope_logs.add()
    scope.scope.name, scope.scope.version = "acme.support", "2"
    scope.log_records.add().CopyFrom(logs_pb2.LogRecord(**{**known, **fields}))
    return request


def test_both_encodings_give_the_same_record_and_id() -> None:
    [one] = decoder.decode(json_logs(json_log()), "json", "logs").records
    [other] = decoder.decode(protobuf_logs().SerializeToString(), "protobuf", "logs").records
    assert one == other
    assert (one.name, one.body, one.severity_number) == ("refund.asked", "hello", 10)
    assert (one.trace_id, one.span_id, one.attributes) == (TRACE_ID, SPAN_ID, {"amount": 7})
    assert logs.content_id(one) == logs.content_id(other)


@pytest.mark.parametrize(
    "changed",
    [
        {"timeUnixNano": "1001"},
        {"severityText": "Info"},
        {"eventName": "refund.made"},
        {"body": {"intValue": "1"}},
        {"attributes": []},
        {"spanId": ""},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_other_content_is_another_record(changed: dict[str, Any]) -> None:
    first, second = decoder.decode(json_logs(json_log(), json_log(**changed)), "json", "logs").spans
    assert logs.content_id(first) != logs.content_id(second)


def test_structured_bodies_are_read_exactly() -> None:
    body = {"kvlistValue": {"values": [attribute("n", {"intValue": str(2**63 - 1)})]}}
    [record] = decoder.decode(json_logs(json_log(body=body)), "json", "logs").records
    assert record.body == {"n": 2**63 - 1}
    [without] = decoder.decode(json_logs({"timeUnixNano": "1"}), "json", "logs").records
    assert (without.body, without.name) == (None, "")


def test_the_event_is_named_by_its_field_or_by_its_attribute() -> None:
    old = json_log(eventName="", attributes=[attribute("event.name", {"stringValue": "asked"})])
    [record] = decoder.decode(json_logs(old), "json", "logs").records
    assert record.name == "asked"


def test_an_id_that_is_no_id_belongs_to_no_trace() -> None:
    for trace_id in ("00" * 16, "zz" * 16, "ab"):
        [record] = decoder.decode(json_logs(json_log(traceId=trace_id)), "json", "logs").records
        assert record.trace_id == b""
    body = protobuf_logs(trace_id=b"abc", span_id=bytes(8)).SerializeToString()
    [record] = decoder.decode(body, "protobuf", "logs").records
    assert (record.trace_id, record.span_id) == (b"", b"")


def test_a_broken_record_costs_itself() -> None:
    broken = json_log(severityNumber="LOUD")
    decoded = decoder.decode(json_logs(broken, json_log(), "text"), "json", "logs")
    assert len(decoded.records) == 1
    assert [rejection.reason for rejection in decoded.rejected] == [
        "log record 'refund.asked' (0102030405060708): severityNumber is 'LOUD', "
        "which OTLP does not know",
        "log record (unnamed): a string stands where an object is expected",
    ]


def test_invalid_utf8_is_mended_and_too_deep_a_body_is_cut() -> None:
    body = protobuf_logs(severity_text="Information").SerializeToString()
    [record] = decoder.decode(body.replace(b"hello", b"he\xfflo"), "protobuf", "logs").records
    assert record.body == "he\ufffdlo"
    deep = common_pb2.AnyValue(string_value="x")
    for _ in range(40):
        deep = common_pb2.AnyValue(array_value=common_pb2.ArrayValue(values=[deep]))
    decoded = decoder.decode(protobuf_logs(body=deep).SerializeToString(), "protobuf", "logs")
    assert not decoded.rejected
    [value] = [record.body for record in decoded.records]
    for _ in range(30):
        [value] = value
    assert value == deep_values.MARK


def metrics_request() -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="requests")
    metric.sum.data_points.add(as_int=3, time_unix_nano=5)
    return request


SENT: dict[Signal, tuple[bytes, bytes]] = {
    "traces": (
        json_request(json_span()),
        protobuf_request(protobuf_span(), protobuf_span(name="")).SerializeToString(),
    ),
    "logs": (json_logs(json_log()), protobuf_logs().SerializeToString()),
    "metrics": (
        json.dumps({"resourceMetrics": []}).encode(),
        metrics_request().SerializeToString(),
    ),
}


@pytest.mark.parametrize("posted", SENT)
@pytest.mark.parametrize("to", ["traces", "logs"])
def test_what_is_posted_to_the_wrong_place_is_told_where_to_go(posted: Signal, to: Signal) -> None:
    for body, encoding in zip(SENT[posted], ("json", "protobuf"), strict=True):
        if posted == to:
            decoder.decode(body, encoding, to)  # type: ignore[arg-type]
            continue
        noun = "trace" if posted == "traces" else posted
        with pytest.raises(
            MalformedBody, match=f"this is a {noun} request; post it to /v1/{posted}"
        ):
            decoder.decode(body, encoding, to)  # type: ignore[arg-type]


def test_the_specifications_own_example_is_read(shared: Path) -> None:
    example = shared / "data" / "otlp-raw" / "opentelemetry-proto" / "logs.json"
    [record] = decoder.decode(example.read_bytes(), "json", "logs").records
    assert (record.body, record.severity_number) == ("Example log record", 10)
    assert record.attributes["map.attribute"] == {"some.map.key": "some value"}
