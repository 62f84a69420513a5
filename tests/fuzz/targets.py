"""What is fuzzed with bytes, one line each in `TARGETS`. A target raises on what must not happen;
the typed errors that a module promises are taken here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from debugging import frames, stacks
from detectors.checks import error_results
from tests.fuzz import way
from traces.otlp import encoding, json_values
from traces.semconv import chat_json, flat_messages, message_shapes, messages, reading
from traces.spans import RawSpan, Resource, Scope, SpanEvent
from traces.spool import encoding as spool_encoding
from traces.store import attribute_maps, rows

Target = Callable[[bytes], None]
_MOST_BYTES = 64 * 1024
_CONTENT_ENCODINGS = (
    "gzip", "deflate", "zstd", "gzip, zstd", "deflate, gzip", "zstd,zstd", "identity", "x-gzip",
)  # fmt: skip
_FILES_LINES = {"a.py": ("", "", "    g()"), "src/x.js": ("boom();",)}
_FILES = frames.FileIndex(_FILES_LINES)
_NOTHING = Resource({}, "[]")


def _request(body: bytes, *, coded: Any, signal: Any) -> None:
    way.whole(body, coded, signal)


def content_encoding(data: bytes) -> None:
    """The first byte chooses the encoding."""
    name = _CONTENT_ENCODINGS[data[0] % len(_CONTENT_ENCODINGS)] if data else "gzip"
    try:
        undone = encoding.decompress(data[1:], name, _MOST_BYTES)
    except (encoding.UnknownEncoding, encoding.BrokenEncoding, encoding.TooLarge):
        return
    assert name == "identity" or len(undone) <= _MOST_BYTES


def spool_file(data: bytes) -> None:
    try:
        arrival = spool_encoding.decode(data)
    except spool_encoding.Unreadable:
        return
    spool_encoding.encode(arrival)


def exact_values(data: bytes) -> None:
    """The store's own JSON, should it ever be damaged."""
    text = _text(data)
    for read in (json_values.value_from_json, json_values.values_from_json):
        try:
            read(text)
        except ValueError:
            continue
    if text[:1] == "@":  # the name of a column, which only we write
        return
    try:
        row = {"attributes_string": {}, "attributes_json": {"a": text}, "input": "", "output": ""}
        attribute_maps.joined(row)
        rows.attribute("a", text)
    except ValueError:
        return


def attributes(data: bytes) -> None:
    """A JSON object of attributes: names of conventions with any values."""
    try:
        found = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(found, dict):
        return
    name = _said(found.pop("name", ""))
    scope = _said(found.pop("scope", ""))
    event = found.pop("event", None)
    events = [SpanEvent(1, name, event)] if isinstance(event, dict) else []
    raw = RawSpan(
        trace_id=b"t" * 16, span_id=b"s" * 8, parent_span_id=b"", name=name, otel_kind=0,
        start_ns=1, end_ns=2, status_code=len(found) % 3, status_message="", attributes=found,
        events=events, links=(), trace_state="", flags=0, dropped_attributes=0, dropped_events=0,
        dropped_links=0, resource=_NOTHING, scope=Scope(scope, "", {}, "{}"),
    )  # fmt: skip
    way.taken(way.Decoded([raw]), "json", "traces")


def message_texts(data: bytes) -> None:
    """What an attribute that holds messages may hold."""
    text = _text(data)
    parsed = reading.parsed_structure(text)
    for role in ("user", "assistant"):
        for message in message_shapes.messages(parsed, role) or ():
            chat_json.messages([message])
    for side in message_shapes.sides(parsed):
        chat_json.messages(side)
    if isinstance(parsed, dict):
        listed = flat_messages.collect(parsed, "")
        [message_shapes.message(item, "user") for item in listed]
    reading.words(text), reading.entries(text), reading.total(text), reading.moment_ns(text)
    messages.unquoted(text), reading.decimal(text), reading.count(text)


def stack_traces(data: bytes) -> None:
    for trace in stacks.parse(_text(data)):
        assert len(trace.frames) <= stacks.FRAME_LIMIT
        for frame in trace.frames:
            assert frame.line >= 0
            frames.map_frame(frame, _FILES, _FILES_LINES.get)


def tool_results(data: bytes) -> None:
    text = _text(data)
    found = error_results.find_error(text)
    if found is not None:
        assert found.quote in text, "a quote stands in what was read"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _said(value: Any) -> str:
    return value if isinstance(value, str) else ""


TARGETS: Mapping[str, Target] = {
    **{
        f"{signal}_{coded}": partial(_request, coded=coded, signal=signal)
        for signal in ("traces", "logs", "metrics")
        for coded in ("protobuf", "json")
    },
    "content_encoding": content_encoding,
    "spool_file": spool_file,
    "exact_values": exact_values,
    "attributes": attributes,
    "message_texts": message_texts,
    "stack_traces": stack_traces,
    "tool_results": tool_results,
}
