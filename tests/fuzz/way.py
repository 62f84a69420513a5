"""The way of a request's body through our code, without network and engine: decoded, normalised,
made columns, spooled and back, read as pages and the public API read it. What is wrong raises.
"""

from __future__ import annotations

import json
import math
import uuid
from typing import Any

from detectors.checks import error_results
from traces.api import shapes
from traces.api.logs import log_item
from traces.ingest import arrivals
from traces.ingest.arrivals import Arrival
from traces.logs import Log
from traces.otlp import decoder, sdk
from traces.otlp.arrived import Arrived
from traces.otlp.decoder import Decoded, Encoding, MalformedBody
from traces.otlp.signals import Signal
from traces.semconv import agent_metrics, chat_json, log_records, messages, normalize
from traces.spans import Span
from traces.spool import encoding as spool_encoding
from traces.store import cells

PROJECT_ID = uuid.UUID(int=11)
KEY_ID = uuid.UUID(int=12)
RECEIVED_NS = 1_767_323_045_123_456_789
ORIGIN: dict[str, Any] = {"project_id": PROJECT_ID, "received_ns": RECEIVED_NS}
_MOST_READ = 20


def whole(body: bytes, encoding: Encoding, signal: Signal) -> Arrival | None:
    """None for what is no request of the signal; that is the one thing it may be besides."""
    try:
        decoded = decoder.decode(body, encoding, signal)
    except MalformedBody:
        return None
    check_counts(decoded)
    return taken(decoded, encoding, signal, len(body))


def check_counts(decoded: Decoded[Any]) -> None:
    for rejection in decoded.rejected:
        assert rejection.count > 0
        assert rejection.reason
        rejection.reason.encode()  # it goes into an answer


def taken(decoded: Decoded[Any], encoding: Encoding, signal: Signal, size: int = 0) -> Arrival:
    records = decoded.records
    usage, refused = agent_metrics.of(records if signal == "metrics" else (), **ORIGIN)
    spans = normalize.spans(records, **ORIGIN) if signal == "traces" else ()
    logs = log_records.of(records, **ORIGIN) if signal == "logs" else ()
    arrived = Arrived(
        spans=spans,
        rejected=[*decoded.rejected, *refused],
        received_ns=RECEIVED_NS,
        encoding=encoding,
        content_encoding="",
        compressed_bytes=size,
        body_bytes=size,
        sdk=sdk.of({}, records[0].resource.attributes if records else {}),
        signal=signal,
        logs=logs,
        usage=usage,
    )
    arrival = arrivals.of(arrived, key_id=KEY_ID, project_id=PROJECT_ID, retention_days=0)
    check_columns(arrival)
    for span in spans[:_MOST_READ]:
        check_totals(span)
        read(span)
    for log in logs[:_MOST_READ]:
        read_log(log)
    return arrival


def check_columns(arrival: Arrival) -> None:
    """What the engine and the spool will be given."""
    batch = arrival.batch
    assert {len(column) for column in batch.columns} <= {batch.rows}
    cells.check_text(batch.columns, batch.types)
    for column, type_ in zip(batch.columns, batch.types, strict=True):
        if type_.startswith("UInt"):
            most = 2 ** int(type_.removeprefix("UInt")) - 1
            assert all(type(cell) in (int, bool) and 0 <= cell <= most for cell in column), type_
    again = spool_encoding.decode(spool_encoding.encode(arrival))
    assert again.batch.rows == batch.rows
    assert again.receipt == arrival.receipt


def check_totals(span: Span) -> None:
    for cost in (span.cost_usd, span.reported_cost_usd, span.computed_cost_usd):
        assert cost is None or (cost.is_finite() and cost >= 0), cost
    usage = span.usage
    if usage is None:
        return
    counts = (
        usage.uncached_input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h,
        usage.output, usage.reasoning, usage.input, usage.total,
    )  # fmt: skip
    assert all(type(count) is int and count >= 0 for count in counts), usage
    assert usage.reasoning <= usage.output
    assert all(count >= 0 and math.isfinite(count) for count in usage.other.values())


def read(span: Span) -> None:
    """As the trace page, the public API and the checks read a span."""
    found = messages.of(span)
    for side in (found.input, found.output):
        chat_json.messages(side)
        for message in side:
            message.text.encode("utf-8", "surrogatepass")
    shown = shapes.span_item(span, {"core", "usage", "io", "metadata", "normalized"})
    json.dumps(shown, allow_nan=False).encode()
    for side_text in (span.output, messages.tool_text(span, "output")):
        error_results.find_error(side_text)


def read_log(log: Log) -> None:
    json.dumps(log_item(log, {"io", "metadata", "normalized"}), allow_nan=False).encode()
