"""Records what an instrumentation really sends: `python -m tests.traces.semconv.record langfuse
--python <environment>/bin/python`. See the README here.

Starts the scripted model and an OTLP receiver on loopback, runs one recording script against them
with the interpreter given, and writes what arrived to `../recorded/<name>.json` without what
describes this machine.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sdk.demo import completions
from sdk.demo.model_server import ModelServer
from sdk.demo.scripting import Call, ChatRequest, Reply, Rule, Script

_HERE = Path(__file__).parent
_RECORDED = _HERE.parent / "recorded"
_OF_THE_MACHINE = ("host.", "process.", "os.", "service.instance.id", "telemetry.distro.")
_TIMEOUT_SECONDS = 120


def main() -> int:
    parser = argparse.ArgumentParser(description="Record an instrumentation's spans.")
    parser.add_argument("name", help="of the script here, without its ending")
    parser.add_argument("--python", default=sys.executable, help="interpreter with the packages")
    parser.add_argument("--node-modules", default="", help="folder of the packages for a .mjs")
    parser.add_argument("--as", dest="target", default="", help="name of the recording")
    parser.add_argument("--without", default="", help="names of spans to leave out, by regex")
    options = parser.parse_args()
    received: list[dict[str, Any]] = []
    with ModelServer(script()) as model, _Receiver(received) as receiver:
        _run(options, model.url, receiver.url)
    target = _RECORDED / f"{options.target or options.name}.json"
    spans = [
        _clean(resource, options.without)
        for request in received
        for resource in request["resourceSpans"]
    ]
    if not spans:
        print("Nothing arrived.", file=sys.stderr)
        return 1
    target.write_text(_as_text({"resourceSpans": spans}))
    print(f"{target.name}: {target.stat().st_size} bytes")
    return 0


def script() -> Script:
    """Asked about the weather it calls a tool, then answers; anything else it answers at once, with
    cached tokens."""
    return Script(
        [
            Rule(Reply("It is 21 degrees in Paris.", usage=(120, 9)), has_results=True),
            Rule(_with_tool_call, user="weather"),
            Rule(_with_cached_tokens),
        ],
        models=("gpt-4o-mini", "text-embedding-3-small"),
    )


def _with_tool_call(request: ChatRequest) -> Reply:
    """Of the tool that is offered: frameworks change its name."""
    name = next((name for name in request.tool_names if "weather" in name), "")
    if not name:
        return _with_cached_tokens(request)
    return Reply(calls=(Call(name, {"city": "Paris"}),), usage=(90, 12))


def _with_cached_tokens(request: ChatRequest) -> Reply:
    reply = Reply("Paris is the capital of France.", usage=(64, 8))
    if request.body.get("stream"):
        return reply
    body = completions.completion(request, reply)
    body["usage"]["prompt_tokens_details"] = {"cached_tokens": 48, "audio_tokens": 0}
    return Reply(body=json.dumps(body).encode())


def _run(options: argparse.Namespace, model_url: str, receiver_url: str) -> None:
    path = next(path for path in _HERE.glob(f"{options.name}.*"))
    environment = {
        **os.environ,
        "OPENAI_BASE_URL": model_url,
        "OPENAI_API_KEY": "scripted",
        "OTLP_URL": receiver_url,
    }
    with tempfile.TemporaryDirectory() as folder:  # scripts have the names of their packages
        copy = Path(folder, f"recording{path.suffix}")
        copy.write_text(path.read_text())
        if path.suffix == ".mjs":
            Path(folder, "node_modules").symlink_to(Path(options.node_modules).resolve())
            command = ["node", str(copy)]
        else:
            Path(folder, "exporting.py").write_text((_HERE / "exporting.py").read_text())
            command = [options.python, str(copy)]
        subprocess.run(command, env=environment, cwd=folder, check=True, timeout=_TIMEOUT_SECONDS)


def _as_text(request: dict[str, Any]) -> str:
    """One span a line."""
    text = json.dumps(request, ensure_ascii=False, separators=(",", ":"))
    return text.replace('{"traceId":', '\n{"traceId":') + "\n"


def _clean(resource_spans: dict[str, Any], without: str) -> dict[str, Any]:
    for scope_spans in resource_spans["scopeSpans"]:
        scope_spans["spans"] = [
            span
            for span in scope_spans["spans"]
            if not (without and re.search(without, span["name"]))
        ]
    resource = resource_spans.get("resource", {})
    resource["attributes"] = [
        attribute
        for attribute in resource.get("attributes", [])
        if not attribute["key"].startswith(_OF_THE_MACHINE)
    ]
    return {**resource_spans, "resource": resource}


class _Receiver:
    """OTLP over HTTP in either encoding, at any path."""

    def __init__(self, received: list[dict[str, Any]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self._body()
                if body and "trace" in self.path:
                    received.append(_decoded(body, self.headers.get("Content-Type", "")))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def do_GET(self) -> None:
                self.do_POST()

            def _body(self) -> bytes:
                if "chunked" in self.headers.get("Transfer-Encoding", ""):
                    body = b"".join(iter(self._chunk, b""))
                else:
                    body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                is_packed = self.headers.get("Content-Encoding") == "gzip"
                return gzip.decompress(body) if is_packed else body

            def _chunk(self) -> bytes:
                size = int(self.rfile.readline(), 16)
                chunk = self.rfile.read(size)
                self.rfile.readline()
                return chunk

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing is printed."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> _Receiver:
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


def _decoded(body: bytes, content_type: str) -> dict[str, Any]:
    if "json" in content_type:
        decoded: dict[str, Any] = json.loads(body)
        return decoded
    request = ExportTraceServiceRequest.FromString(body)
    return _with_hex_ids(json_format.MessageToDict(request, use_integers_for_enums=True))


def _with_hex_ids(value: Any) -> Any:
    """OTLP's JSON has ids in hexadecimal, protobuf's mapping in base64."""
    if isinstance(value, list):
        return [_with_hex_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: b64decode(item).hex()
        if key in ("traceId", "spanId", "parentSpanId") and isinstance(item, str)
        else _with_hex_ids(item)
        for key, item in value.items()
    }


if __name__ == "__main__":
    raise SystemExit(main())
