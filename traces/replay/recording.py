"""Reads a recording: OTLP/JSON requests, one a line, plain or gzip, line by line.

The file is never in memory as a whole. Moving times to the present takes a first pass that looks
for the newest end, so a stream that cannot be read twice is copied to a temporary file.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import msgspec

GZIP_MAGIC = b"\x1f\x8b"
_SPAN_TIMES = ("startTimeUnixNano", "endTimeUnixNano")
_EVENT_TIMES = ("timeUnixNano",)
_decoder = msgspec.json.Decoder()


class Unreadable(Exception):
    """The recording cannot be opened or is damaged; the message says which and where."""


@dataclass(frozen=True, slots=True)
class Line:
    """One request: its JSON as sent, and how many spans it holds."""

    number: int
    body: bytes
    spans: int


@dataclass(frozen=True, slots=True)
class BadLine:
    number: int
    reason: str


class Recording:
    """An open recording. `size_bytes` is 0 when unknown; `position_bytes` counts towards it."""

    def __init__(self, raw: BinaryIO, name: str, *, line_limit_bytes: int) -> None:
        self.name = name
        self.size_bytes = 0
        self._raw = raw
        self._line_limit_bytes = line_limit_bytes

    @classmethod
    def open(
        cls, path: str, stdin: BinaryIO, *, line_limit_bytes: int, must_rewind: bool
    ) -> Recording:
        """`-` is `stdin`; raises `Unreadable`."""
        if path == "-":
            raw = cast(BinaryIO, _spooled(stdin)) if must_rewind else stdin
            return cls(raw, "standard input", line_limit_bytes=line_limit_bytes)
        try:
            raw = Path(path).open("rb")  # noqa: SIM115 (closed by `close`)
            size_bytes = os.fstat(raw.fileno()).st_size
        except OSError as error:
            raise Unreadable(f"Cannot read {path}: {error.strerror}.") from error
        recording = cls(raw, path, line_limit_bytes=line_limit_bytes)
        recording.size_bytes = size_bytes
        return recording

    @property
    def position_bytes(self) -> int:
        return self._raw.tell() if self._raw.seekable() else 0

    def lines(self, shift_ns: int = 0) -> Iterator[Line | BadLine]:
        """Every line that is not blank, its times moved by `shift_ns`; raises `Unreadable`."""
        for number, text in self._texts():
            if text is None:
                reason = f"longer than {self._line_limit_bytes:,} bytes"
                yield BadLine(number, reason)
                continue
            if not text.strip():
                continue
            try:
                request = _request(text)
                spans = sum(1 for _ in _spans(request))
                body = msgspec.json.encode(_moved(request, shift_ns)) if shift_ns else text.strip()
                yield Line(number, body, spans)
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                yield BadLine(number, f"not an OTLP/JSON request: {error}")

    def newest_end_ns(self) -> int:
        """The latest end of a span in the recording, 0 without any; rewinds to the start."""
        newest = 0
        for _, text in self._texts():
            try:
                for span in _spans(_request(text or b"")):
                    newest = max(newest, _time(span, "endTimeUnixNano"))
            except (ValueError, TypeError, AttributeError, RecursionError):
                continue  # `lines` reports it with its number
        self._raw.seek(0)
        return newest

    def close(self) -> None:
        self._raw.close()

    def _texts(self) -> Iterator[tuple[int, bytes | None]]:
        """Line numbers and lines; None for a line that is too long, which is skipped."""
        number = 0
        try:
            stream = _decompressed(self._raw)
            while line := stream.readline(self._line_limit_bytes + 1):
                number += 1
                if len(line) > self._line_limit_bytes:
                    while line and not line.endswith(b"\n"):
                        line = stream.readline(self._line_limit_bytes)
                    yield number, None
                else:
                    yield number, line
        except (OSError, EOFError, zlib.error) as error:
            raise Unreadable(f"{self.name} is damaged after line {number}: {error}") from error


def _decompressed(raw: BinaryIO) -> IO[bytes]:
    peek = getattr(raw, "peek", None)
    if peek is None:
        head = raw.read(2)
        raw.seek(0)
    else:
        head = peek(2)[:2]
    return cast(IO[bytes], gzip.open(raw)) if head == GZIP_MAGIC else raw


def _spooled(stdin: BinaryIO) -> IO[bytes]:
    copy = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
    shutil.copyfileobj(stdin, copy)
    copy.seek(0)
    return copy


def _request(text: bytes) -> dict[str, Any]:
    request = _decoder.decode(text)
    if not isinstance(request, dict):
        raise TypeError("the line is not a JSON object")
    return request


def _spans(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for resource_spans in request.get("resourceSpans") or ():
        for scope_spans in resource_spans.get("scopeSpans") or ():
            yield from scope_spans.get("spans") or ()


def _moved(request: dict[str, Any], shift_ns: int) -> dict[str, Any]:
    for span in _spans(request):
        _move(span, _SPAN_TIMES, shift_ns)
        for event in span.get("events") or ():
            _move(event, _EVENT_TIMES, shift_ns)
    return request


def _move(holder: dict[str, Any], names: tuple[str, ...], shift_ns: int) -> None:
    for name in names:
        time_ns = _time(holder, name)
        if time_ns:
            holder[name] = str(time_ns + shift_ns)


def _time(holder: Mapping[str, Any], name: str) -> int:
    """0 without a usable time: what is wrong with a span is for the receiver to say."""
    value = holder.get(name) if isinstance(holder, dict) else None
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) else 0
