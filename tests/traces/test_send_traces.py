"""`manage.py send_traces` against a local HTTP server that records what it gets."""

from __future__ import annotations

import gzip
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from traces.replay.recording import Line
from traces.replay.sender import Sender, SendingStopped, endpoint

SECOND_NS = 1_000_000_000
START_NS = 1_700_000_000 * SECOND_NS
KEY = "tr-right"


class Receiver:
    """Answers 200 after the answers in `script`, each (status, headers, body)."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.encodings: list[str] = []
        self.script: list[tuple[int, dict[str, str], dict[str, Any]]] = []
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.receiver = self
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def start(self) -> None:
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        receiver = cast(_Server, self.server).receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        encoding = self.headers.get("Content-Encoding", "")
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self._answer(401, {}, {"message": "This API key is unknown or revoked."})
            return
        if receiver.script:
            self._answer(*receiver.script.pop(0))
            return
        receiver.paths.append(self.path)
        receiver.encodings.append(encoding)
        receiver.requests.append(json.loads(gzip.decompress(body) if encoding else body))
        self._answer(200, {}, {})

    def _answer(self, status: int, headers: dict[str, str], body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.start()
    yield receiver
    receiver.stop()


def _request(number: int, *, note: str = "") -> dict[str, Any]:
    """Two spans and an event; each request begins a minute after the one before."""
    start_ns = START_NS + number * 60 * SECOND_NS
    root = {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": f"run {number}",
        "startTimeUnixNano": str(start_ns),
        "endTimeUnixNano": str(start_ns + 5 * SECOND_NS),
        "events": [{"name": "log", "timeUnixNano": str(start_ns + SECOND_NS)}],
        "attributes": [{"key": "note", "value": {"stringValue": note}}],
    }
    child = {
        **root,
        "spanId": f"{number + 1000:016x}",
        "parentSpanId": root["spanId"],
        "endTimeUnixNano": start_ns + 2 * SECOND_NS,
        "startTimeUnixNano": start_ns,
    }
    return {"resourceSpans": [{"scopeSpans": [{"spans": [root, child]}]}]}


def _write(path: Path, count: int = 3, *, bad_line: str = "") -> Path:
    lines = [json.dumps(_request(number)) for number in range(1, count + 1)]
    if bad_line:
        lines.insert(1, bad_line)
    path.write_text("\n".join(lines) + "\n\n")
    return path


def _send(*arguments: object, key: str = KEY) -> str:
    out = io.StringIO()
    call_command(
        "send_traces", *(str(one) for one in arguments), "--api-key", key, stdout=out, stderr=out
    )
    return out.getvalue()


def _spans(request: dict[str, Any]) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", request["resourceSpans"][0]["scopeSpans"][0]["spans"])


def test_each_line_is_one_request_sent_unchanged(receiver: Receiver, tmp_path: Path) -> None:
    out = _send(_write(tmp_path / "runs.jsonl"), "--url", receiver.url)
    assert receiver.requests == [_request(1), _request(2), _request(3)]
    assert receiver.paths == ["/v1/traces"] * 3
    assert "3 requests, 6 spans: 6 accepted, 0 rejected" in out
    assert "spans/s" in out


def test_gzip_is_recognised_whatever_the_name(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_bytes(gzip.compress(_write(tmp_path / "plain").read_bytes()))
    _send(path, "--url", receiver.url)
    assert len(receiver.requests) == 3


def test_large_requests_travel_compressed(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    path.write_text(json.dumps(_request(1, note="x" * 5000)))
    _send(path, "--url", receiver.url)
    assert receiver.encodings == ["gzip"]
    assert receiver.requests == [_request(1, note="x" * 5000)]


@pytest.mark.parametrize("is_gzip", [False, True])
def test_standard_input_is_read_also_to_move_times(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_gzip: bool
) -> None:
    data = _write(tmp_path / "runs.jsonl").read_bytes()
    raw = io.BytesIO(gzip.compress(data) if is_gzip else data)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(cast(Any, raw))))
    _send("-", "--url", receiver.url, "--now")
    newest = max(int(span["endTimeUnixNano"]) for r in receiver.requests for span in _spans(r))
    assert abs(newest - time.time_ns()) < 20 * SECOND_NS


def test_now_moves_all_times_by_the_same_amount(receiver: Receiver, tmp_path: Path) -> None:
    before = time.time_ns()
    _send(_write(tmp_path / "runs.jsonl"), "--url", receiver.url, "--now")
    newest = START_NS + (3 * 60 + 5) * SECOND_NS
    root, _ = _spans(receiver.requests[2])
    shift = int(root["endTimeUnixNano"]) - newest
    assert before <= newest + shift <= time.time_ns()
    for number, request in enumerate(receiver.requests, 1):
        for moved, original in zip(_spans(request), _spans(_request(number)), strict=True):
            for name in ("startTimeUnixNano", "endTimeUnixNano"):
                assert int(moved[name]) - int(original[name]) == shift
            event = int(moved["events"][0]["timeUnixNano"])
            assert event - int(original["events"][0]["timeUnixNano"]) == shift
            assert moved["attributes"] == original["attributes"]


def test_a_time_that_is_none_is_left_to_the_receiver(receiver: Receiver, tmp_path: Path) -> None:
    request = _request(1)
    for span, time_ in zip(_spans(request), ("²", [1]), strict=True):
        span["startTimeUnixNano"] = time_
    (tmp_path / "runs.jsonl").write_text(json.dumps(request))
    _send(tmp_path / "runs.jsonl", "--url", receiver.url, "--now")
    assert [span["startTimeUnixNano"] for span in _spans(receiver.requests[0])] == ["²", [1]]


def test_each_file_is_moved_on_its_own(receiver: Receiver, tmp_path: Path) -> None:
    one, two = _write(tmp_path / "one", 1), _write(tmp_path / "two", 3)
    _send(one, two, "--url", receiver.url, "--now")
    ends = [int(_spans(request)[0]["endTimeUnixNano"]) for request in receiver.requests]
    assert abs(ends[0] - ends[-1]) < 20 * SECOND_NS


def test_a_receiver_that_asks_to_wait_is_asked_again(receiver: Receiver, tmp_path: Path) -> None:
    receiver.script = [(429, {"Retry-After": "0"}, {}), (503, {"Retry-After": "0.01"}, {})]
    out = _send(_write(tmp_path / "runs.jsonl"), "--url", receiver.url)
    assert len(receiver.requests) == 3
    assert "2 times the receiver asked to wait" in out


def test_the_pause_is_what_the_receiver_asked_for(receiver: Receiver) -> None:
    receiver.script = [(429, {"Retry-After": "7"}, {}), (503, {}, {}), (503, {}, {})]
    pauses: list[float] = []
    with Sender(receiver.url, KEY, sleep=pauses.append) as sender:
        sender.send(Line(1, json.dumps(_request(1)).encode(), 2))
    assert pauses == [7.0, 1.0, 2.0]
    assert sender.tally.accepted == 2


def test_waiting_has_an_end(receiver: Receiver) -> None:
    receiver.script = [(503, {"Retry-After": "50"}, {"message": "The store is down."})] * 9
    with (
        Sender(receiver.url, KEY, sleep=lambda seconds: None) as sender,
        pytest.raises(SendingStopped, match=r"line 4 after 3 tries.*The store is down"),
    ):
        sender.send(Line(4, b"{}", 0))


@pytest.fixture
def dead_url() -> str:
    """Of a port that nothing listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_an_address_where_nothing_listens_is_given_up_soon_and_said(
    dead_url: str, tmp_path: Path
) -> None:
    pauses: list[float] = []
    with (
        Sender(dead_url, KEY, sleep=pauses.append) as sender,
        pytest.raises(SendingStopped, match=r"cannot be reached: connection refused\..*--url"),
    ):
        sender.send(Line(1, b"{}", 0))
    assert sum(pauses) < 5
    assert (sender.tally.waits, sender.tally.unanswered) == (0, 4)


def test_a_dead_address_has_no_summary(dead_url: str, tmp_path: Path) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="connection refused") as stopped:
        call_command(
            "send_traces", str(_write(tmp_path / "runs.jsonl")), "--url", dead_url,
            "--api-key", KEY, stdout=out, stderr=out,
        )  # fmt: skip
    assert out.getvalue() == ""
    assert "asked to wait" not in str(stopped.value)
    assert "requests" not in str(stopped.value)


def test_a_receiver_that_goes_away_is_waited_for(receiver: Receiver) -> None:
    """Longer than an address that never answered: a restart takes some seconds."""
    receiver.script = [(200, {"Connection": "close"}, {})]
    pauses: list[float] = []
    with Sender(receiver.url, KEY, sleep=pauses.append) as sender:
        sender.send(Line(1, json.dumps(_request(1)).encode(), 2))
        receiver.stop()
        with pytest.raises(SendingStopped, match="line 2 after 8 tries"):
            sender.send(Line(2, b"{}", 0))
    assert sum(pauses) > 60


def test_why_it_stopped_comes_before_what_was_done(receiver: Receiver, tmp_path: Path) -> None:
    receiver.script = [(200, {}, {}), (500, {}, {"message": "It broke."})]
    with pytest.raises(CommandError) as stopped:
        _send(_write(tmp_path / "runs.jsonl"), "--url", receiver.url)
    first, second = str(stopped.value).splitlines()
    assert "failed with 500: It broke." in first
    assert second.startswith("Before that: 1 requests, 2 spans: 2 accepted")


def test_a_wrong_key_stops_at_once_and_says_what_to_do(receiver: Receiver, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"refuses the API key .*TRACEROOT_API_KEY"):
        _send(_write(tmp_path / "runs.jsonl"), "--url", receiver.url, key="tr-wrong")
    assert receiver.requests == []


def test_without_a_key_nothing_is_sent(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No API key"):
        _send(_write(tmp_path / "runs.jsonl"), key="")


@pytest.mark.parametrize("bad_line", ["{broken", "[1, 2]", '{"resourceSpans": [7]}'])
def test_a_bad_line_is_named_and_the_rest_goes_on(
    receiver: Receiver, tmp_path: Path, capsys: pytest.CaptureFixture[str], bad_line: str
) -> None:
    path = _write(tmp_path / "runs.jsonl", bad_line=bad_line)
    out = io.StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command(
            "send_traces",
            str(path),
            "--url",
            receiver.url,
            "--api-key",
            KEY,
            stdout=out,
            stderr=out,
        )
    assert stopped.value.code == 1
    assert f"{path}, line 2: not an OTLP/JSON request" in out.getvalue()
    assert "1 lines were no request" in out.getvalue()
    assert len(receiver.requests) == 3


def test_rejected_spans_are_counted_by_reason(receiver: Receiver, tmp_path: Path) -> None:
    partial = {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "span 2 has no id"}}
    receiver.script = [(200, {}, partial), (400, {}, {"message": "no spans here"})]
    out = io.StringIO()
    path = _write(tmp_path / "runs.jsonl")
    with pytest.raises(SystemExit):
        call_command(
            "send_traces",
            str(path),
            "--url",
            receiver.url,
            "--api-key",
            KEY,
            stdout=out,
            stderr=out,
        )
    assert "6 spans: 3 accepted, 3 rejected" in out.getvalue()
    assert "rejected 1: span 2 has no id" in out.getvalue()
    assert "rejected 2: 400: no spans here" in out.getvalue()


def test_a_missing_file_is_named() -> None:
    with pytest.raises(CommandError, match=r"Cannot read /nowhere/runs.jsonl: No such file"):
        _send("/nowhere/runs.jsonl")


def test_a_damaged_gzip_says_after_which_line(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl.gz"
    path.write_bytes(gzip.compress(_write(tmp_path / "plain", 200).read_bytes())[:-40])
    with pytest.raises(CommandError, match=r"is damaged after line \d+"):
        _send(path, "--url", receiver.url)


def test_a_line_beyond_the_limit_is_left_out(
    receiver: Receiver, tmp_path: Path, settings: Any
) -> None:
    settings.INGEST_MAX_BODY_BYTES = 2000
    path = _write(tmp_path / "runs.jsonl", bad_line=json.dumps(_request(9, note="x" * 9000)))
    with pytest.raises(SystemExit):
        _send(path, "--url", receiver.url)
    assert receiver.requests == [_request(1), _request(2), _request(3)]


def test_the_rate_is_kept(receiver: Receiver, tmp_path: Path) -> None:
    began = time.monotonic()
    _send(_write(tmp_path / "runs.jsonl", 4), "--url", receiver.url, "--rate", "10")
    assert time.monotonic() - began >= 0.28


def test_an_address_that_takes_no_otlp_stops(receiver: Receiver, tmp_path: Path) -> None:
    receiver.script = [(302, {"Location": "/sign-in"}, {})]
    with pytest.raises(CommandError, match="takes no OTLP"):
        _send(_write(tmp_path / "runs.jsonl"), "--url", receiver.url)


def test_proxies_of_the_environment_are_ignored(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    _send(_write(tmp_path / "runs.jsonl"), "--url", receiver.url)
    assert len(receiver.requests) == 3


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:4318", "http://localhost:4318/v1/traces"),
        ("http://localhost:4318/", "http://localhost:4318/v1/traces"),
        (
            "http://localhost:8000/api/v1/public/traces",
            "http://localhost:8000/api/v1/public/traces",
        ),
    ],
)
def test_an_address_without_a_path_gets_the_standard_one(url: str, expected: str) -> None:
    assert endpoint(url) == expected


def test_the_recorded_runs_are_read_whole(receiver: Receiver, shared: Path) -> None:
    path = shared / "data" / "agent-runs" / "research-crew.otlp.jsonl.gz"
    out = _send(path, "--url", receiver.url, "--now")
    assert "81 requests" in out
    assert len(receiver.requests) == 81
