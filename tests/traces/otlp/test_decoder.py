"""Both encodings to raw spans: equal content gives equal spans, a bad span costs itself."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.traces.otlp.requests import (
    SPAN_ID,
    TRACE_ID,
    attribute,
    json_request,
    json_span,
    protobuf_request,
    protobuf_span,
)
from traces.otlp import decoder, deep_values, json_values
from traces.otlp.decoder import MalformedBody
from traces.spans import AttributeValue, RawSpan

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_INT64 = st.integers(-(2**63), 2**63 - 1)
_UINT32 = st.integers(0, 2**32 - 1)
_VALUES: st.SearchStrategy[AttributeValue] = st.recursive(
    st.none() | st.booleans() | _INT64 | st.floats(allow_nan=False) | _TEXT | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_KIND_NAMES: dict[int, str] = {n: name for name, n in trace_pb2.Span.SpanKind.items()}
_ATTRIBUTES = st.dictionaries(_TEXT, _VALUES, max_size=4)


def _any_value(value: AttributeValue) -> common_pb2.AnyValue:
    if value is None:
        return common_pb2.AnyValue()
    if isinstance(value, list):
        items = common_pb2.ArrayValue(values=[_any_value(item) for item in value])
        return common_pb2.AnyValue(array_value=items)
    if isinstance(value, dict):
        return common_pb2.AnyValue(kvlist_value=common_pb2.KeyValueList(values=_key_values(value)))
    field = {bool: "bool_value", int: "int_value", float: "double_value", bytes: "bytes_value"}
    any_value = common_pb2.AnyValue()
    setattr(any_value, field.get(type(value), "string_value"), value)
    return any_value


def _key_values(attributes: dict[str, AttributeValue]) -> list[common_pb2.KeyValue]:
    return [common_pb2.KeyValue(key=key, value=_any_value(v)) for key, v in attributes.items()]


def _status(code: int, message: str) -> trace_pb2.Status:
    status = trace_pb2.Status(message=message)
    setattr(status, "code", code)  # noqa: B010  the stub wants a type that only it knows
    return status


@st.composite
def _both_encodings(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """One span as protobuf and as JSON, written by two hands that share no code."""
    attributes, resource = draw(_ATTRIBUTES), draw(_ATTRIBUTES)
    name, state, message = draw(_TEXT), draw(_TEXT), draw(_TEXT)
    start, end, flags = draw(st.integers(0, 2**64 - 1)), draw(st.integers(0, 2**63)), draw(_UINT32)
    kind, code = draw(st.integers(0, 5)), draw(st.integers(0, 2))
    parent = draw(st.just(b"") | st.binary(min_size=8, max_size=8))
    span = protobuf_span(
        name=name,
        kind=kind,
        start_time_unix_nano=start,
        end_time_unix_nano=end,
        parent_span_id=parent,
        trace_state=state,
        flags=flags,
        attributes=_key_values(attributes),
        status=_status(code, message),
        events=[
            trace_pb2.Span.Event(time_unix_nano=end, name=name, attributes=_key_values(attributes))
        ],
        links=[trace_pb2.Span.Link(trace_id=TRACE_ID, span_id=SPAN_ID, trace_state=state)],
    )
    request = protobuf_request(span)
    request.resource_spans[0].resource.attributes.extend(_key_values(resource))
    as_number = draw(st.booleans())
    document = json.loads(
        json_request(
            json_span(
                name=name,
                kind=draw(st.sampled_from([kind, _KIND_NAMES[kind]])),
                startTimeUnixNano=start if as_number else str(start),
                endTimeUnixNano=str(end),
                parentSpanId=parent.hex().upper() if as_number else parent.hex(),
                traceState=state,
                flags=flags,
                attributes=json_values.to_wire_list(attributes),
                status={"code": code, "message": message},
                events=[
                    {
                        "timeUnixNano": str(end),
                        "name": name,
                        "attributes": json_values.to_wire_list(attributes),
                    }
                ],
                links=[{"traceId": TRACE_ID.hex(), "spanId": SPAN_ID.hex(), "traceState": state}],
                futureField={"unknown": [1]},
            )
        )
    )
    document["resourceSpans"][0]["resource"] = {"attributes": json_values.to_wire_list(resource)}
    return request.SerializeToString(), json.dumps(document).encode()


@settings(max_examples=150, deadline=None)
@given(_both_encodings())
def test_json_and_protobuf_of_one_content_are_equal(both: tuple[bytes, bytes]) -> None:
    from_protobuf = decoder.decode(both[0], "protobuf")
    from_json = decoder.decode(both[1], "json")
    assert not from_protobuf.rejected
    assert not from_json.rejected
    assert from_protobuf.spans == from_json.spans


@settings(max_examples=150, deadline=None)
@given(_ATTRIBUTES)
def test_values_survive_their_json(attributes: dict[str, AttributeValue]) -> None:
    assert json_values.values_from_json(json_values.values_to_json(attributes)) == attributes


def test_non_finite_doubles_keep_their_names() -> None:
    text = json_values.values_to_json({"a": math.nan, "b": -math.inf})
    assert '"NaN"' in text
    assert '"-Infinity"' in text
    back = json_values.values_from_json(text)
    assert isinstance(back["a"], float)
    assert math.isnan(back["a"])
    assert back["b"] == -math.inf


def _one(body: bytes) -> RawSpan:
    decoded = decoder.decode(body, "json")
    assert not decoded.rejected
    (span,) = decoded.spans
    return span


def test_ids_may_be_base64_and_names_snake_case() -> None:
    span = {
        "trace_id": base64.b64encode(TRACE_ID).decode(),
        "span_id": base64.b64encode(SPAN_ID).decode(),
        "start_time_unix_nano": 1000,
        "attributes": [attribute("a", {"string_value": "b"})],
    }
    body = json.dumps({"resource_spans": [{"scope_spans": [{"spans": [span]}]}]}).encode()
    decoded = _one(body)
    assert (decoded.trace_id, decoded.span_id, decoded.start_ns) == (TRACE_ID, SPAN_ID, 1000)
    assert decoded.attributes == {"a": "b"}


def test_half_a_surrogate_pair_costs_one_character() -> None:
    body = json_request(json_span(name="XX")).replace(b"XX", b"cut \\ud83d")
    assert _one(body).name == "cut \ufffd"


def test_invalid_utf8_in_json_costs_one_character() -> None:
    assert _one(json_request(json_span(name="XX")).replace(b"XX", b"a\xff")).name == "a\ufffd"


def test_a_byte_order_mark_is_no_error() -> None:
    assert _one(b"\xef\xbb\xbf" + json_request(json_span())).name == "answer"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"traceId": "00" * 16}, "trace id is all zeros"),
        ({"traceId": "ab" * 8}, "traceId"),
        ({"traceId": "zz" * 16}, "not hexadecimal"),
        ({"spanId": ""}, "span id has 0 bytes"),
        ({"spanId": 7}, "spanId is a number"),
        ({"parentSpanId": "abcd"}, "parentSpanId"),
        ({"startTimeUnixNano": "-1"}, "startTimeUnixNano is negative"),
        ({"endTimeUnixNano": str(2**64)}, "endTimeUnixNano is 18446744073709551616"),
        ({"startTimeUnixNano": "yesterday"}, "startTimeUnixNano is 'yesterday'"),
        ({"startTimeUnixNano": True}, "startTimeUnixNano is True"),
        ({"startTimeUnixNano": "9" * 30}, "startTimeUnixNano is too large, more than 1844"),
        ({"startTimeUnixNano": "9" * 6_000}, "startTimeUnixNano is too large"),
        ({"startTimeUnixNano": 1e300}, "startTimeUnixNano is too large"),
        ({"startTimeUnixNano": [["a"]]}, "startTimeUnixNano is a list, not a whole number"),
        ({"name": ["a"]}, "name is a list"),
        ({"name": {"a": 1}}, "name is an object, not a string"),
        ({"status": "OK"}, "status is a string, not an object"),
        ({"status": {"message": 7}}, "status.message is a number, not a string"),
        ({"status": {"code": "FINE"}}, "status.code is 'FINE', which OTLP does not know"),
        ({"attributes": {"a": 1}}, "attributes is of type object"),
        ({"attributes": ["a"]}, "an attribute is not an object"),
        ({"attributes": [attribute("a", {"intValue": "x"})]}, "attribute 'a': intValue is 'x'"),
        ({"attributes": [attribute("a", {"intValue": 2**63})]}, "too large for a 64-bit integer"),
        ({"attributes": [attribute("a", {"intValue": "-" + "9" * 30})]}, "too large for a 64-bit"),
        ({"attributes": [attribute("a", {"doubleValue": 10**400})]}, "too large for a double"),
        ({"attributes": [attribute("a", {"boolValue": {}})]}, "boolValue is an object"),
        ({"attributes": [{"key": "a", "value": "bare"}]}, "bare string"),
        ({"attributes": [attribute("a", {"bytesValue": "%%"})]}, "not base64"),
        ({"kind": "SPAN_KIND_DANCER"}, "kind is 'SPAN_KIND_DANCER'"),
        ({"status": {"code": -(2**31) - 1}}, "code is negative"),
        ({"events": [7]}, "events[0]: a number stands where an object is expected"),
        ({"events": [{"name": "ok"}, {"name": 7}]}, "events[1]: name is a number"),
        ({"links": [{"traceState": []}]}, "links[0]: traceState is a list"),
        ({"flags": 2**32}, "flags is 4294967296"),
    ],
)
def test_a_malformed_json_span_is_rejected_alone(fields: dict[str, Any], reason: str) -> None:
    bad = json_span(name="broken", **fields) if "name" not in fields else json_span(**fields)
    decoded = decoder.decode(json_request(bad, json_span(name="good")), "json")
    assert [span.name for span in decoded.spans] == ["good"]
    assert decoded.rejected_count == 1
    assert reason in decoded.rejected[0].reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"trace_id": b""}, "trace id has 0 bytes, not 16"),
        ({"trace_id": bytes(16)}, "trace id is all zeros"),
        ({"span_id": b"abc"}, "span id has 3 bytes, not 8"),
        ({"parent_span_id": b"abc"}, "parent span id has 3 bytes"),
        ({"links": [trace_pb2.Span.Link(trace_id=b"abc")]}, "a link's id has 3 bytes"),
    ],
)
def test_a_malformed_protobuf_span_is_rejected_alone(fields: dict[str, Any], reason: str) -> None:
    bad = protobuf_span(name="broken", **fields)
    request = protobuf_request(bad, protobuf_span(name="good"))
    decoded = decoder.decode(request.SerializeToString(), "protobuf")
    assert [span.name for span in decoded.spans] == ["good"]
    assert "'broken'" in decoded.rejected[0].reason
    assert reason in decoded.rejected[0].reason


def test_a_span_that_is_no_object_is_rejected_alone() -> None:
    decoded = decoder.decode(json_request("span", json_span()), "json")
    assert len(decoded.spans) == 1
    assert decoded.rejected_count == 1


def test_a_zero_parent_means_no_parent() -> None:
    body = protobuf_request(protobuf_span(parent_span_id=bytes(8))).SerializeToString()
    assert decoder.decode(body, "protobuf").spans[0].parent_span_id == b""


def test_invalid_utf8_in_protobuf_costs_one_character_not_the_batch() -> None:
    spans = [protobuf_span(name="cut XX", attributes=_key_values({"a": "XX"})), protobuf_span()]
    body = protobuf_request(*spans).SerializeToString().replace(b"XX", b"\xe2\x82")
    decoded = decoder.decode(body, "protobuf")
    assert [span.name for span in decoded.spans] == ["cut \ufffd", "answer"]
    assert decoded.spans[0].attributes == {"a": "\ufffd"}


def test_broken_bytes_inside_a_span_cost_that_span() -> None:
    good = protobuf_request(protobuf_span(name="good"))
    scope_spans = good.resource_spans[0].scope_spans[0].SerializeToString()
    broken_span = b"\x12\x03\x2a\x7fx"  # field 2 (spans), three bytes: a name that claims 127
    scope_spans += broken_span
    resource_spans = b"\x12" + bytes([len(scope_spans)]) + scope_spans
    body = b"\x0a" + bytes([len(resource_spans)]) + resource_spans
    decoded = decoder.decode(body, "protobuf")
    assert [span.name for span in decoded.spans] == ["good"]
    assert "longer than its message" in decoded.rejected[0].reason


def _nested(levels: int) -> AttributeValue:
    value: AttributeValue = "deep"
    for _ in range(levels):
        value = [value]
    return value


def _length_delimited(number: int, content: bytes) -> bytes:
    size = len(content)
    encoded = bytearray([number << 3 | 2])
    while size > 0x7F:
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes(encoded) + bytes([size]) + content


@pytest.mark.parametrize("levels", [31, 44, 60, 500])
def test_deep_nesting_is_cut(levels: int) -> None:
    value = b"\x0a\x04deep"  # AnyValue.string_value
    for _ in range(levels):  # by hand: the library itself does not write so deep
        value = _length_delimited(5, _length_delimited(1, value))
    key_value = _length_delimited(1, b"a") + _length_delimited(2, value)
    ids = _length_delimited(1, TRACE_ID) + _length_delimited(2, SPAN_ID)
    deep = ids + _length_delimited(5, b"deep") + _length_delimited(9, key_value)
    good = protobuf_span(name="good").SerializeToString()
    spans = _length_delimited(2, deep) + _length_delimited(2, good)
    body = _length_delimited(1, _length_delimited(2, spans))
    decoded = decoder.decode(body, "protobuf")
    assert [span.name for span in decoded.spans] == ["deep", "good"]
    assert decoded.spans[0].attributes == {"a": _cut_value()}


def _cut_value() -> AttributeValue:
    """What stays of too many arrays within arrays."""
    value: AttributeValue = deep_values.MARK
    for _ in range(30):
        value = [value]
    return value


def test_deep_json_is_cut_or_refused() -> None:
    deep = json_span(attributes=[attribute("a", json_values.to_wire(_nested(40)))])
    decoded = decoder.decode(json_request(deep, json_span()), "json")
    assert len(decoded.spans) == 2
    assert decoded.spans[0].attributes == {"a": _cut_value()}
    assert decoded.spans[0].cut == {"attributes.a": len(json_values.value_to_json(_nested(40)))}
    with pytest.raises(MalformedBody, match="nested too deep"):
        decoder.decode(b"[" * 100_000, "json")


def _raw(template: bytes, levels: int) -> bytes:
    """`levels` of array values inside each other, as text: the library itself goes not so deep."""
    opening, closing = b'{"arrayValue":{"values":[', b"]}}"
    return template.replace(b'"DEEP"', opening * levels + b"{}" + closing * levels)


@pytest.mark.parametrize("levels", [31, 60, 340, 5_000, 50_000])
@pytest.mark.parametrize("spoiler", [b"answer", b"\xff", b"\\ud83d"])
def test_however_deep_json_is_cut(levels: int, spoiler: bytes) -> None:
    """Also where the text is not quite JSON, which another parser reads."""
    deep = json_span(name="deep", attributes=[{"key": "a", "value": "DEEP"}])
    good = json_span(attributes=[attribute("b", {"stringValue": 'a ]} \\" [{'})])
    body = json_request(json_span(), deep, good).replace(b"answer", spoiler)
    decoded = decoder.decode(_raw(body, levels), "json")
    assert not decoded.rejected
    assert [span.attributes for span in decoded.spans] == [
        {},
        {"a": _cut_value()},
        {"b": 'a ]} \\" [{'},
    ]
    assert decoded.spans[1].cut["attributes.a"] == pytest.approx(28 * levels, abs=40)


def test_deep_kvlists_in_events_are_cut() -> None:
    opening, closing = b'{"kvlistValue":{"values":[{"key":"k","value":', b"}]}}"
    event = {"name": "e", "attributes": [{"key": "a", "value": "DEEP"}]}
    body = json_request(json_span(name="deep", events=[event]), json_span())
    body = body.replace(b'"DEEP"', opening * 900 + b"{}" + closing * 900)
    decoded = decoder.decode(body, "json")
    assert [span.name for span in decoded.spans] == ["deep", "answer"]
    value: Any = decoded.spans[0].events[0].attributes["a"]
    for _ in range(30):
        value = value["k"]
    assert value == deep_values.MARK
    assert list(decoded.spans[0].cut) == ["events.attributes.a"]


def test_a_deep_attribute_is_noted_once() -> None:
    opening, closing = '{"kvlistValue":{"values":[{"key":"k","value":', "}]}}"
    json_body = json_request(json_span(attributes=[{"key": "k", "value": "DEEP"}]))
    value = common_pb2.AnyValue(string_value="x")
    for _ in range(40):
        value = common_pb2.AnyValue(array_value=common_pb2.ArrayValue(values=[value]))
    deep = common_pb2.KeyValue(key="k", value=value)
    for body, encoding in (
        (json_body.replace(b'"DEEP"', f"{opening * 90}{{}}{closing * 90}".encode()), "json"),
        (protobuf_request(protobuf_span(attributes=[deep])).SerializeToString(), "protobuf"),
    ):
        [span] = decoder.decode(body, encoding).spans
        assert list(span.cut) == ["attributes.k"]


def test_what_is_wrong_inside_of_an_attribute_is_named_by_both_ends() -> None:
    value: dict[str, Any] = {"intValue": "seven"}
    for name in ("innermost", "b", "c"):
        value = {"kvlistValue": {"values": [{"key": name, "value": value}]}}
    decoded = decoder.decode(json_request(json_span(attributes=[attribute("a", value)])), "json")
    assert decoded.rejected[0].reason.endswith(
        ": attribute 'a': 'innermost', 3 levels down: intValue is 'seven', not a whole number"
    )


def test_depth_in_a_field_that_nobody_reads_costs_nothing() -> None:
    body = json_request(json_span(future="DEEP", attributes=[attribute("a", {"intValue": 1})]))
    decoded = decoder.decode(_raw(body, 5_000), "json")
    assert not decoded.rejected
    assert decoded.spans[0].attributes == {"a": 1}


@pytest.mark.parametrize("field", ["name", "spanId", "startTimeUnixNano", "kind", "status"])
def test_depth_in_place_of_a_plain_field_costs_its_span_alone(field: str) -> None:
    for levels in (150, 900):  # the parser still reads the first, not the second
        bad = json_span(**{field: "DEEP"}) | {"attributes": []}
        body = json_request(bad, json_span(name="good")).replace(
            b'"DEEP"', b"[" * levels + b"]" * levels
        )
        decoded = decoder.decode(body, "json")
        assert [span.name for span in decoded.spans] == ["good"]
        assert f"{field} is a list" in decoded.rejected[0].reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[" * 100_000 + b"]" * 100_000, "the body is a list, not a trace request"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b'{"resourceSpans":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "a list stands where"),
        (b'"' + b'\\"' * 1_000_000 + b"[" * 2_000, "not JSON"),
    ],
)
def test_a_body_nested_beyond_reason_is_refused_at_once(body: bytes, reason: str) -> None:
    started = time.process_time()
    with pytest.raises(MalformedBody, match=reason):
        decoder.decode(body, "json")
    assert time.process_time() - started < 2.0


def test_integers_of_thousands_of_digits_cost_their_span_alone() -> None:
    digits = b"9" * 6_000
    for template in (
        json_span(name="huge", startTimeUnixNano="HUGE"),
        json_span(name="huge", flags="HUGE"),
        json_span(name="huge", attributes=[attribute("a", {"intValue": "HUGE"})]),
        json_span(name="huge", attributes=[attribute("a", {"doubleValue": "HUGE"})]),
    ):
        for sign in (b"", b"-"):
            body = json_request(json_span(), template).replace(b'"HUGE"', sign + digits)
            decoded = decoder.decode(body, "json")
            assert [span.name for span in decoded.spans] == ["answer"]
            assert decoded.rejected_count == 1
            assert "too large" in decoded.rejected[0].reason or "neg" in decoded.rejected[0].reason


def test_long_numbers_that_a_double_holds_are_kept() -> None:
    number = attribute("a", {"doubleValue": 10**300})
    assert _one(json_request(json_span(attributes=[number]))).attributes == {"a": 1e300}
    spoiled = json_request(json_span(name="XX", attributes=[number])).replace(b"XX", b"\xff")
    assert _one(spoiled).attributes == {"a": 1e300}


def test_deep_protobuf_that_is_also_large_is_not_copied_on_every_level() -> None:
    """Twenty megabytes ninety levels down, and a string that makes the parser refuse it all."""
    value = _length_delimited(1, b"x" * 20_000_000)
    for _ in range(40):
        value = _length_delimited(5, _length_delimited(1, value))
    key_value = _length_delimited(1, b"\xff") + _length_delimited(2, value)
    ids = _length_delimited(1, TRACE_ID) + _length_delimited(2, SPAN_ID)
    deep = ids + _length_delimited(9, key_value)
    good = protobuf_span(name="good").SerializeToString()
    spans = _length_delimited(2, deep) + _length_delimited(2, good)
    body = _length_delimited(1, _length_delimited(2, spans))
    tracemalloc.start()
    try:
        decoded = decoder.decode(body, "protobuf")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [span.name for span in decoded.spans] == ["", "good"]
    assert decoded.spans[0].cut["attributes.\ufffd"] == pytest.approx(20_000_000, rel=0.01)
    assert peak_bytes < 8 * len(body)


def test_thirty_levels_are_kept() -> None:
    body = protobuf_request(protobuf_span(attributes=_key_values({"a": _nested(30)})))
    assert decoder.decode(body.SerializeToString(), "protobuf").spans[0].attributes == {
        "a": _nested(30)
    }


@pytest.mark.parametrize(("levels", "is_cut"), [(30, False), (31, True), (32, True)])
def test_maps_in_events_are_kept_as_deep_as_lists(levels: int, is_cut: bool) -> None:
    """Three messages a level: the parser's own limit is near."""
    value: AttributeValue = "deep"
    for _ in range(levels):
        value = {"k": value}
    event = trace_pb2.Span.Event(name="e", attributes=_key_values({"a": value}))
    body = protobuf_request(protobuf_span(events=[event])).SerializeToString()
    [span] = decoder.decode(body, "protobuf").spans
    assert bool(span.cut) == is_cut
    assert (span.events[0].attributes == {"a": value}) != is_cut


@pytest.mark.parametrize("body", [b"not json", b"[]", b'"text"', b"{", b'{"batches": []}', b""])
def test_what_is_no_json_request_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        decoder.decode(body, "json")


def test_what_is_no_protobuf_request_is_refused() -> None:
    with pytest.raises(MalformedBody, match="not a protobuf"):
        decoder.decode(b"\xff\xff\xff\xff", "protobuf")


def test_json_declared_as_protobuf_is_named() -> None:
    with pytest.raises(MalformedBody, match="looks like JSON"):
        decoder.decode(json_request(json_span()), "protobuf")


@pytest.mark.parametrize("signal", ["logs", "metrics"])
def test_other_signals_are_named_in_json(signal: str) -> None:
    body = json.dumps({f"resource{signal.capitalize()}": []}).encode()
    with pytest.raises(MalformedBody, match=f"this is a {signal} request; post it to /v1/{signal}"):
        decoder.decode(body, "json")


def test_logs_are_named_in_protobuf() -> None:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.time_unix_nano, record.body.string_value = 1, "hello"
    record.trace_id, record.span_id = TRACE_ID, SPAN_ID
    with pytest.raises(MalformedBody, match="this is a logs request"):
        decoder.decode(request.SerializeToString(), "protobuf")


def test_metrics_are_named_in_protobuf() -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.name, metric.unit = "gen_ai.client.token.usage", "{token}"
    metric.sum.data_points.add().as_int = 7
    with pytest.raises(MalformedBody, match="this is a metrics request"):
        decoder.decode(request.SerializeToString(), "protobuf")


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"", "protobuf"),
        (b"{}", "json"),
        (b"\x0a\x00", "protobuf"),
    ],
)
def test_an_empty_request_has_no_spans(body: bytes, encoding: decoder.Encoding) -> None:
    decoded = decoder.decode(body, encoding)
    assert decoded.spans == []
    assert decoded.rejected_count == 0


def test_scope_and_resource_are_kept_exactly() -> None:
    request = protobuf_request(protobuf_span())
    group = request.resource_spans[0]
    group.resource.attributes.extend(_key_values({"service.name": "support", "n": 2**60}))
    group.scope_spans[0].scope.version = "1.2"
    group.scope_spans[0].schema_url = "https://opentelemetry.io/schemas/1.37.0"
    (span,) = decoder.decode(request.SerializeToString(), "protobuf").spans
    assert json_values.values_from_json(span.resource.json) == span.resource.attributes
    assert json.loads(span.scope.json) == {
        "name": "acme.support",
        "version": "1.2",
        "schemaUrl": "https://opentelemetry.io/schemas/1.37.0",
    }


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_never_raise_anything_else(body: bytes) -> None:
    encodings: tuple[decoder.Encoding, ...] = ("protobuf", "json")
    for encoding in encodings:
        with contextlib.suppress(MalformedBody):
            decoder.decode(body, encoding)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_request_is_read_or_refused(data: st.DataObject) -> None:
    spans = [protobuf_span(attributes=_key_values({"a": ["b", 1, None]})) for _ in range(3)]
    body = bytearray(protobuf_request(*spans).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedBody):
        decoder.decode(bytes(body), "protobuf")


def test_enums_are_open_in_both_encodings() -> None:
    span = protobuf_span(kind=-7, status=_status(-1, "no"))
    from_protobuf = decoder.decode(protobuf_request(span).SerializeToString(), "protobuf")
    from_json = decoder.decode(
        json_request(json_span(kind=-7, status={"code": "-1", "message": "no"})), "json"
    )
    assert not from_json.rejected
    assert from_json.records == from_protobuf.records


@pytest.mark.parametrize("name", ["autogen x", "J" * 30, "-1234"])
def test_spans_without_good_ids_are_not_taken_for_another_signal(name: str) -> None:
    """Their bytes also parse as log records with an empty body, and as metrics without points."""
    span = protobuf_span(name=name, trace_id=bytes(16), start_time_unix_nano=0)
    decoded = decoder.decode(protobuf_request(span).SerializeToString(), "protobuf")
    assert [rejection.count for rejection in decoded.rejected] == [1]
    assert "trace id is all zeros" in decoded.rejected[0].reason


def test_a_protobuf_request_of_125_bytes_does_not_look_like_json() -> None:
    request = protobuf_request(protobuf_span(trace_id=bytes(16), name="answer"))
    request.resource_spans[0].schema_url = "x" * (125 - request.ByteSize() - 2)
    body = request.SerializeToString()
    assert body[:2] == b"\n{"
    assert decoder.decode(body, "protobuf").rejected_count == 1
