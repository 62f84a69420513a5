"""A scripted model behind OpenAI's HTTP protocol, on loopback, for the demo and for tests.

It answers `POST /v1/chat/completions` (tools, streaming), `POST /v1/embeddings` and
`GET /v1/models` by the rules of a script: no model runs and nothing leaves the machine. A path
prefix `/pace/<factor>` multiplies every waiting time of the script, so `/pace/0.05/v1` is twenty
times as fast. Started alone: `python -m sdk.demo.model_server --port 8090 --script demo`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import threading
import traceback
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, cast

from sdk.demo import completions, scripts
from sdk.demo.scripting import ChatRequest, NoRule, Reply, Script

BODY_LIMIT_BYTES = 64 * 1024**2
REMEMBERED_REQUESTS = 1000
LONGEST_WAIT_SECONDS = 120.0
_PATH = re.compile(r"\A(?:/pace/(\d+(?:\.\d+)?))?/v1/([a-z/]+)\Z")


class ModelServer:
    """A script served on a loopback port by threads of this process.

    `requests` holds the bodies of the last chat requests, for tests. With `api_key`, any other key
    is answered 401.
    """

    def __init__(self, script: Script, *, api_key: str = "", pace: float = 1.0) -> None:
        self.script = script
        self.api_key = api_key
        self.pace = pace
        self.requests: deque[dict[str, Any]] = deque(maxlen=REMEMBERED_REQUESTS)
        self.stopping = threading.Event()
        self._http: _HttpServer | None = None

    def start(self, port: int = 0) -> str:
        """Starts serving and returns the base URL for clients, ending in `/v1`."""
        self._http = _HttpServer(("127.0.0.1", port), _Handler)
        self._http.model = self
        threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self.url

    @property
    def url(self) -> str:
        if self._http is None:
            raise RuntimeError("The model server has not been started.")
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def stop(self) -> None:
        self.stopping.set()
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    def __enter__(self) -> ModelServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    model: ModelServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of the server; anything else is printed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "scripted-model"
    disable_nagle_algorithm = True
    wbufsize = -1  # header and body in one packet; streams flush by hand

    def do_GET(self) -> None:
        endpoint, _ = self._route()
        if endpoint == "models":
            self._send(200, completions.models(self._model.script.models))
        else:
            self._send(404, completions.error(404, f"No endpoint {self.path}."))

    def do_POST(self) -> None:
        endpoint, pace = self._route()
        body = self._body()
        if body is None:
            return
        if not self._is_authorized():
            self._send(401, completions.error(401, "Incorrect API key provided."))
        elif endpoint == "chat/completions":
            self._chat(body, pace)
        elif endpoint == "embeddings":
            self._send(200, completions.embeddings(body))
        else:
            self._send(404, completions.error(404, f"No endpoint {self.path}."))

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are remembered by the server, not printed."""

    def _chat(self, body: dict[str, Any], pace: float) -> None:
        request = ChatRequest(body)
        self._model.requests.append(body)
        if not request.messages:
            self._send(400, completions.error(400, "'messages' must be a non-empty array."))
            return
        try:
            reply = self._model.script.answer(request)
        except NoRule as missing:
            self._send(400, completions.error(400, str(missing)))
            return
        except Exception as error:  # a script's own code failed: said to the client, not hung up
            traceback.print_exc()
            self._send(500, completions.error(500, f"The script failed: {error!r}"))
            return
        seconds = self._seconds(request, reply) * pace
        if reply.status != 200:
            self._wait(seconds)
            self._fail(reply)
        elif reply.body is not None:
            self._wait(seconds)
            self._send_bytes(200, reply.body)
        elif body.get("stream"):
            self._stream(request, reply, seconds)
        else:
            self._wait(seconds)
            self._send(200, completions.completion(request, reply))

    def _fail(self, reply: Reply) -> None:
        message = reply.error or f"The script answers {reply.status} here."
        headers = {}
        if reply.retry_after_seconds is not None:
            headers["Retry-After"] = f"{reply.retry_after_seconds:g}"
        self._send(reply.status, completions.error(reply.status, message), headers)

    def _stream(self, request: ChatRequest, reply: Reply, seconds: float) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        parts = list(completions.chunks(request, reply))
        self._wait(seconds * 0.4)
        for number, part in enumerate(parts):
            if reply.cut and number >= len(parts) // 2:
                self.close_connection = True
                return
            self._send_event(json.dumps(part))
            self._wait(seconds * 0.6 / len(parts))
        self._send_event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _send_event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.flush()

    def _seconds(self, request: ChatRequest, reply: Reply) -> float:
        if reply.seconds is not None:
            return reply.seconds
        prompt, completed = completions.prompt_tokens(request), completions.completion_tokens(reply)
        return self._model.script.tempo(prompt, completed)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._model.stopping.wait(min(seconds, LONGEST_WAIT_SECONDS))

    def _route(self) -> tuple[str, float]:
        found = _PATH.match(self.path.partition("?")[0])
        if not found:
            return "", 1.0
        return found.group(2), self._model.pace * float(found.group(1) or 1)

    def _body(self) -> dict[str, Any] | None:
        """The JSON object of the request; answers 400 or 413 itself and returns None otherwise."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > BODY_LIMIT_BYTES:
            self.close_connection = True
            status = 413 if length.isdigit() else 411
            self._send(status, completions.error(status, "The body is too large or has no length."))
            return None
        try:
            body = json.loads(self.rfile.read(int(length)))
        except ValueError:
            body = None
        if not isinstance(body, dict):
            self._send(400, completions.error(400, "The body is not a JSON object."))
            return None
        return cast(dict[str, Any], body)

    def _is_authorized(self) -> bool:
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            return False
        return not self._model.api_key or key == self._model.api_key

    def _send(
        self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        self._send_bytes(status, json.dumps(body).encode(), headers)

    def _send_bytes(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    @property
    def _model(self) -> ModelServer:
        return cast(_HttpServer, self.server).model


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGTERM, SIGINT or, with --exit-with-parent, the end of the parent process."""
    parser = argparse.ArgumentParser(description="Serve a scripted model on loopback.")
    parser.add_argument("--port", type=int, default=8090, help="0 picks a free one")
    parser.add_argument("--script", choices=sorted(scripts.NAMES), default="demo")
    parser.add_argument("--pace", type=float, default=1.0, help="multiplies waiting times")
    parser.add_argument("--exit-with-parent", action="store_true")
    options = parser.parse_args(arguments)
    server = ModelServer(scripts.load(options.script), pace=options.pace)
    try:
        url = server.start(options.port)
    except OSError as error:
        print(f"Cannot listen on 127.0.0.1:{options.port}: {error.strerror}.", file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stopping.set())
    print(f"Scripted model {options.script!r} on {url}", flush=True)
    parent = os.getppid()
    while not server.stopping.wait(0.5):
        if options.exit_with_parent and os.getppid() != parent:
            break
    server.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
