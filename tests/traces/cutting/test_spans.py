"""Spans over the limits: cut where they are too large, whole in all that was read of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.traces import arrived
from tests.traces.otlp.requests import (
    attribute,
    json_request,
    json_span,
    protobuf_request,
    protobuf_span,
)
from traces.cutting import spans as cutting
from traces.cutting.limits import CutLimits
from traces.ingest.arrivals import Arrival
from traces.ingest.breaker import Breaker
from traces.ingest.storing import Stored, Storing
from traces.otlp import decoder
from traces.otlp.decoder import Encoding
from traces.semconv import messages, normalize, normalized
from traces.spans import Span
from traces.store import batches
from traces.store.reader import SpanReader

MIB = 1024**2
Encode = Callable[..., tuple[bytes, Encoding]]


def in_protobuf(attributes: dict[str, Any], **fields: Any) -> tuple[bytes, Encoding]:
    span = protobuf_span(
        attributes=[KeyValue(key=k, value=_any(v)) for k, v in attributes.items()],
        events=[trace_pb2.Span.Event(name=name) for name in fields.get("events", ())],
    )
    request = protobuf_request(span)
    for key, value in fields.get("resource", {}).items():
        request.resource_spans[0].resource.attributes.add(key=key, value=_any(value))
    return request.SerializeToString(), "protobuf"


def in_json(attributes: dict[str, Any], **fields: Any) -> tuple[bytes, Encoding]:
    span = json_span(
        attributes=[attribute(k, _wire(v)) for k, v in attributes.items()],
        events=[{"name": name} for name in fields.get("events", ())],
    )
    request = json.loads(json_request(span))
    request["resourceSpans"][0]["resource"] = {
        "attributes": [attribute(k, _wire(v)) for k, v in fields.get("resource", {}).items()]
    }
    return json.dumps(request).encode(), "json"


def _any(value: Any) -> AnyValue:
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)


def _wire(value: Any) -> dict[str, Any]:
    return {"intValue": value} if isinstance(value, int) else {"stringValue": value}


def arrive(
    body: bytes, encoding: Encoding, limits: CutLimits | None = None
) -> tuple[Span, Arrival]:
    """The one span of the request, as it is stored; `limits` as the settings have them."""
    decoded = decoder.decode(body, encoding)
    assert not decoded.rejected
    project_id = uuid.uuid4()
    [span] = normalize.spans(decoded.records, project_id=project_id, received_ns=1)
    return span, arrived.arrival(project_id, span, body_bytes=len(body))


both = pytest.mark.parametrize("encode", [in_protobuf, in_json])


@both
def test_a_value_of_10_mb_is_cut_and_says_how_long_it_was(encode: Encode) -> None:
    span, arrival = arrive(*encode({"blob": "x" * 10 * MIB, "small": "y"}))
    blob = span.attributes["blob"]
    assert isinstance(blob, str)
    assert len(blob) == MIB
    assert blob.endswith("… [cut: 10,485,760 characters in all]")
    assert span.attributes["small"] == "y"
    assert span.truncated == {"attributes.blob": 10 * MIB}
    assert (arrival.receipt.truncated, arrival.receipt.accepted) == (1, 1)
    assert arrival.batch.column("attributes_string")[0]["blob"] == blob


@both
def test_hundreds_of_thousands_of_attributes_keep_those_that_gave_a_field(encode: Encode) -> None:
    sent: dict[str, Any] = {f"a{n}": n for n in range(300_000)}
    sent |= {"gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": 7}
    span, arrival = arrive(*encode(sent))
    assert len(span.attributes) == 2_000
    assert span.attributes["gen_ai.request.model"] == "gpt-5"
    assert span.usage is not None
    assert span.usage.input == 7
    assert span.dropped_attributes == len(sent) - 2_000
    assert span.truncated == {"attributes": len(sent)}
    assert arrival.receipt.truncated == 1


@both
def test_long_names_many_events_and_a_huge_resource_are_cut(encode: Encode) -> None:
    body = encode(
        {"k" * 5_000: "v"},
        events=["tick"] * 3_000,
        resource={"service.name": "acme", "env": "e" * 3 * MIB},
    )
    span, _ = arrive(*body)
    [name] = span.attributes
    assert len(name) == 1_024
    assert name.endswith("… [cut: 5,000 characters in all]")
    assert (len(span.events), span.dropped_events) == (1_000, 2_000)
    assert len(span.resource_json) < 1.1 * MIB
    assert json.loads(span.resource_json)[0]["value"] == {"stringValue": "acme"}
    assert span.service_name == "acme"
    assert {"events", "resource"} < span.truncated.keys()


@both
@pytest.mark.parametrize("is_of_resource", [False, True])
def test_what_spans_are_grouped_by_is_as_long_as_a_key_may_be(
    encode: Encode, is_of_resource: bool
) -> None:
    long = {"session.id": "s" * 10 * MIB, "user.id": "u" * 1_025}
    small = {"service.name": "acme"}
    sent = {"resource": small | long} if is_of_resource else {"resource": small}
    body, encoding = encode({} if is_of_resource else long, **sent)
    span, arrival = arrive(body, encoding)
    assert len(span.session_id) == len(span.user_id) == 1_024
    assert ("resource" if is_of_resource else "session_id") in span.truncated
    assert "…" in span.session_id
    assert span.service_name == "acme"
    assert arrival.batch.column("session_id") == [span.session_id]


@both
def test_fields_are_read_from_the_whole_and_messages_stay_messages(encode: Encode) -> None:
    conversation = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "u" * 3 * MIB},
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
    ]
    sent = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": json.dumps(conversation),
        "gen_ai.usage.input_tokens": 1_000_000,
        # behind more than is kept: what it holds is known all the same
        "langfuse.observation.metadata": json.dumps({"pad": "p" * 2 * MIB, "customer": "acme"}),
    }
    span, _ = arrive(*encode(sent))
    assert len(span.input) <= MIB
    assert span.attributes["gen_ai.input.messages"] == span.input
    found = messages.of(span).input
    assert [message.role for message in found] == ["system", "user", "tool"]
    assert found[1].text.endswith("… [cut: 3,145,728 characters in all]")
    assert span.usage is not None
    assert span.usage.input == 1_000_000
    assert span.metadata["customer"] == "acme"


@both
def test_a_span_of_many_large_values_fits_as_a_whole(encode: Encode) -> None:
    sent = {f"part {n}": "x" * 900_000 for n in range(10)} | {"small": "y" * 1_000}
    span, _ = arrive(*encode(sent))
    total = sum(len(str(value)) for value in span.attributes.values())
    assert 3 * MIB < total <= 4 * MIB
    assert span.attributes["small"] == "y" * 1_000
    assert len(span.truncated) == 10


def test_escapes_cannot_smuggle_more_in_than_the_body_seems_to_hold() -> None:
    control = "\x01" * (MIB // 4)  # as JSON six times as long
    span, _ = arrive(*in_protobuf({"llm.input_messages.0.message.content": control}))
    assert len(span.input) <= MIB
    assert json.loads(span.input)
    assert "input" in span.truncated


def test_many_short_values_of_a_list_count_as_what_is_stored_of_them() -> None:
    value = AnyValue()
    value.array_value.values.extend([AnyValue(int_value=1)] * 200_000)
    span = protobuf_span(attributes=[KeyValue(key="list", value=value)])
    found, _ = arrive(protobuf_request(span).SerializeToString(), "protobuf")
    kept = found.attributes["list"]
    assert isinstance(kept, list)
    assert 10_000 < len(kept) < 200_000


def test_small_spans_beside_a_large_one_are_not_touched() -> None:
    large = protobuf_span(
        span_id=b"largeone", attributes=[KeyValue(key="a", value=_any("x" * 2 * MIB))]
    )
    small = protobuf_span(attributes=[KeyValue(key="a", value=_any("x"))])
    body = protobuf_request(small, large, small).SerializeToString()
    decoded = decoder.decode(body, "protobuf")
    spans = normalize.spans(decoded.records, project_id=uuid.uuid4(), received_ns=1)
    attributes = spans[0].attributes
    batch = batches.of(spans, project_id=spans[0].project_id, received_ns=1)
    assert cutting.cut(spans, batch, len(body), CutLimits()) == 1
    assert [bool(span.truncated) for span in spans] == [False, True, False]
    assert spans[0].attributes is attributes


def test_limits_are_the_installations() -> None:
    span, _ = arrive(*in_protobuf({"a": "x" * 500}))
    batch = batches.of([span], project_id=span.project_id, received_ns=1)
    limits = replace(CutLimits(), value_chars=100)
    assert cutting.cut([span], batch, 600, limits) == 1
    assert span.truncated == {"attributes.a": 500}


@pytest.mark.django_db(transaction=True, databases=["default", "spool"])
@pytest.mark.usefixtures("store")
def test_a_cut_span_is_read_back_with_what_was_cut() -> None:
    span, arrival = arrive(*in_protobuf({"input.value": "x" * 2 * MIB}))
    assert Storing(Breaker()).store([arrival]) == [Stored()]
    found = SpanReader(span.project_id).span(span.trace_id, span.span_id)
    assert found is not None
    assert found.truncated == {"input": 2 * MIB}
    assert found.input == found.attributes["input.value"] == span.input
    assert normalized.of(found)["truncated"] == {"input": 2 * MIB}


def test_what_many_spans_share_is_stored_with_each_and_bounded_together() -> None:
    """A resource and a scope of nearly a megabyte, below the limit of a value, and 2,000 spans."""
    shared = [{"key": f"k{n}", "value": {"stringValue": "v" * 900}} for n in range(1_000)]
    pairs = [{"key": "service.name", "value": {"stringValue": "agents"}}, *shared]
    request = json.loads(json_request(*(json_span() for _ in range(2_000))))
    request["resourceSpans"][0]["resource"] = {"attributes": pairs}
    request["resourceSpans"][0]["scopeSpans"][0]["scope"] = {"name": "s", "attributes": pairs}
    body = json.dumps(request).encode()
    project_id = uuid.uuid4()
    spans = normalize.spans(
        decoder.decode(body, "json").records, project_id=project_id, received_ns=1
    )
    stored = arrived.arrival(project_id, *spans, body_bytes=len(body)).batch
    assert stored.rows == 2_000
    for name in ("resource_json", "scope_json"):
        texts = stored.column(name)
        assert 32 * 1024**2 < sum(map(len, texts)) <= 64 * 1024**2 + 2_000 * 100
        assert "agents" in texts[0]
        assert " more attributes]" in texts[0]
    marks = json.loads(stored.column("truncated")[0])
    assert marks["resource"] > 900_000
    assert marks["scope"] > 900_000


def test_a_long_id_of_the_resource_is_not_stored_whole_with_every_span() -> None:
    pairs = [{"key": "session.id", "value": {"stringValue": "s" * 100_000}}]
    request = json.loads(json_request(*(json_span() for _ in range(20))))
    request["resourceSpans"][0]["resource"] = {"attributes": pairs}
    body = json.dumps(request).encode()
    project_id = uuid.uuid4()
    records = decoder.decode(body, "json").records
    spans = normalize.spans(records, project_id=project_id, received_ns=1)
    stored = arrived.arrival(project_id, *spans, body_bytes=len(body)).batch
    assert set(map(len, stored.column("session_id"))) == {1_024}
    assert "s" * 100_000 in stored.column("resource_json")[0]


def test_many_large_resources_are_bounded_together() -> None:
    """Each of them alone, with its spans, would be within the bound."""
    one = json.loads(json_request(*(json_span() for _ in range(60))))["resourceSpans"][0]
    groups = []
    for n in range(4):
        pairs = [
            {"key": f"k{number}", "value": {"stringValue": f"{n}" + "v" * 999}}
            for number in range(900)
        ]
        groups.append({**one, "resource": {"attributes": pairs}})
    body = json.dumps({"resourceSpans": groups}).encode()
    project_id = uuid.uuid4()
    records = decoder.decode(body, "json").records
    spans = normalize.spans(records, project_id=project_id, received_ns=1)
    stored = arrived.arrival(project_id, *spans, body_bytes=len(body)).batch
    texts = stored.column("resource_json")
    assert len(set(texts)) == 4
    assert sum(map(len, texts)) <= 64 * 1024**2 + len(texts) * 100
