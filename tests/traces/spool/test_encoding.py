"""A request comes out of the spool as it went in."""

from __future__ import annotations

import uuid
from decimal import Decimal

import lz4.frame
import msgspec
import pytest

from tests.traces import arrived, made
from traces.spans import SpanEvent, Usage
from traces.spool import encoding


def test_everything_a_span_can_hold_survives() -> None:
    project_id, trace_id = uuid.uuid4(), made.trace_id()
    full = made.span(
        project_id,
        trace_id,
        end_ns=2**64 - 1,
        input="ünï\0code 🎉",
        tags=("a", "b"),
        metadata={"k": "v"},
        usage=Usage(uncached_input=2**53, other={"audio": 1.5}),
        reported_cost_usd=Decimal("0.000000001"),
        attributes={"n": float("nan"), "big": 2**63, "bytes": b"\xff", "deep": {"a": [1, None]}},
        events=(SpanEvent(1, "e", {"x": True}),),
    )
    sent = arrived.arrival(project_id, full, made.span(project_id, trace_id, 2, parent=1))
    found = encoding.decode(encoding.encode(sent))
    assert repr(found.batch.columns) == repr(sent.batch.columns)
    assert (found.batch.names, found.batch.types) == (sent.batch.names, sent.batch.types)
    assert found.receipt == sent.receipt


def test_a_receipt_without_rows_survives() -> None:
    sent = arrived.empty(uuid.uuid4())
    assert encoding.decode(encoding.encode(sent)) == sent


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", lz4.frame.compress(b"nonsense"), lz4.frame.compress(b"\x81\xa1a\x01")],
)
def test_damage_is_called_unreadable(content: bytes) -> None:
    with pytest.raises(encoding.Unreadable):
        encoding.decode(content)


def test_a_cut_off_batch_is_unreadable() -> None:
    content = encoding.encode(arrived.arrival(uuid.uuid4()))
    with pytest.raises(encoding.Unreadable):
        encoding.decode(content[:-20])


@pytest.mark.parametrize(
    ("name", "value"),
    [("project_id", 7), ("received_cost_usd", None), ("types", 7), ("columns", [[7], ["x"]])],
)
def test_fields_of_another_kind_are_unreadable(name: str, value: object) -> None:
    sent = encoding.encode(arrived.arrival(uuid.uuid4()))
    document = msgspec.msgpack.decode(lz4.frame.decompress(sent))
    document[name] = value
    if value is None:  # a figure that is none
        column = document["columns"][document["names"].index("reported_cost_usd")]
        column[0] = "1..5"
    with pytest.raises(encoding.Unreadable):
        encoding.decode(lz4.frame.compress(msgspec.msgpack.encode(document)))


def test_a_value_without_a_form_is_refused() -> None:
    sent = arrived.arrival(uuid.uuid4())
    sent.batch.column("start_ns")[0] = 2**70
    with pytest.raises(encoding.Unwritable):
        encoding.encode(sent)
