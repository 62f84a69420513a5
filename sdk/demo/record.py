"""Writes the recording in `sdk/examples`: a few of the demo's runs, as OTLP/JSON, a request a line.

`python -m sdk.demo.record` runs the agents for real and replaces the file.
"""

from __future__ import annotations

import gzip
import json
import queue
import sys
import tempfile
import threading
from base64 import b64decode
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sdk.demo import history, plan, runs, scripts
from sdk.demo.model_server import ModelServer

FILE = Path(__file__).resolve().parents[1] / "examples" / "agent-runs.otlp.jsonl"
AGES_MINUTES = (73, 41, 158)
"""Of the runs that are taken: a refund that raises, one that works, a brief with a false source."""
_IDS = ("traceId", "spanId", "parentSpanId")


class Recorder(ThreadingHTTPServer):
    """An OTLP receiver that keeps the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest.FromString(body)
        cast(Recorder, self.server).requests.put(_with_hex_ids(_plain(request)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


def record(file: Path) -> int:
    """Returns the number of requests."""
    chosen = [run for run in plan.PAST if run.age_minutes in AGES_MINUTES]
    recorder = Recorder()
    threading.Thread(target=recorder.serve_forever, args=(0.05,), daemon=True).start()
    with tempfile.TemporaryDirectory() as name, ModelServer(scripts.load("demo")) as model:
        directory = Path(name)
        now = datetime.now(UTC)
        history.build(directory / "repository", now)
        places = runs.Places(
            directory / "repository", directory / "checkouts", model.url, recorder.url, "recording"
        )
        runs.execute(chosen, places, int(now.timestamp()) * 10**9, lambda finished: None)
        lines = [json.dumps(each, ensure_ascii=False) for each in _taken(recorder)]
        text = "".join(f"{line}\n" for line in lines)
        # Stack traces name the files of the machine that recorded.
        for here, shown in ((directory / "checkouts", "/srv/puffin"), (sys.prefix, "/srv/venv")):
            text = text.replace(str(here), shown)
        file.write_text(text, encoding="utf-8")
    recorder.shutdown()
    recorder.server_close()
    return len(lines)


def _taken(recorder: Recorder) -> list[dict[str, Any]]:
    return [recorder.requests.get() for _ in range(recorder.requests.qsize())]


def _plain(request: ExportTraceServiceRequest) -> dict[str, Any]:
    return MessageToDict(request, use_integers_for_enums=True)


def _with_hex_ids(request: dict[str, Any]) -> dict[str, Any]:
    """Protobuf's own JSON has ids as base64; OTLP/JSON has them in hexadecimal digits."""
    for resource in request.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                for name in _IDS:
                    if name in span:
                        span[name] = b64decode(span[name]).hex()
    return request


if __name__ == "__main__":
    sys.stdout.write(f"{record(FILE)} requests in {FILE}\n")
