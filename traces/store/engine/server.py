"""ClickHouse's HTTP protocol in front of the engine: connections, authorisation, answers.

A thread a connection; the engine works outside Python's lock. Results are built whole before the
status is sent, so an error is never hidden behind a 200.
"""

import base64
import binascii
import contextlib
import hmac
import json
import logging
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO
from urllib.parse import urlsplit

from traces.store.engine import bodies, requests
from traces.store.engine.database import Answer, Database
from traces.store.engine.errors import (
    ABORTED,
    AUTHENTICATION_FAILED,
    BAD_ARGUMENTS,
    STD_EXCEPTION,
    EngineError,
)

logger = logging.getLogger(__name__)

USER = "default"
# Longer than a client's pool keeps connections, so that the client is the one to close.
_IDLE_SECONDS = 3600
_LINGER_SECONDS = 2.0
_ACCEPT_PAUSE_SECONDS = 0.1
_MAX_REQUEST_LINE_BYTES = 1024 * 1024
_SERVER_NAME = "traceroot-engine"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    413: "Payload Too Large",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class EngineServer(ThreadingHTTPServer):
    """Listens at once; ``serve`` is called when the database has been opened."""

    daemon_threads = True
    request_queue_size = 256
    database: Database
    directory_lock: IO[str]

    def __init__(self, host: str, port: int, token: str, max_body_bytes: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)
        self.token = token
        self.max_body_bytes = max_body_bytes
        self.is_stopping = False
        self._running = 0
        self._running_changed = threading.Condition()

    def server_bind(self) -> None:
        # The inherited one looks its own host name up, which can take seconds without a resolver.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_port = self.server_address[1]

    def serve(self) -> None:
        """Accept connections until ``close_listener``. Blocks without waking up in between."""
        while not self.is_stopping:
            try:
                connection, address = self.socket.accept()
            except OSError as error:
                if not self.is_stopping:
                    # Too many open files, or a client gone already: neither ends the engine.
                    logger.warning("connection.refused reason=%s", error)
                    time.sleep(_ACCEPT_PAUSE_SECONDS)
                continue
            try:
                self.process_request(connection, address)
            except RuntimeError as error:  # no more threads
                logger.warning("connection.refused reason=%s", error)
                self.shutdown_request(connection)

    def close_listener(self) -> None:
        """Take no new connections and no new statements."""
        with self._running_changed:
            self.is_stopping = True
        # Closing alone would leave a thread in accept() with the socket still listening.
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def execute(self, request: requests.QueryRequest) -> Answer:
        """Run a request, unless the engine is stopping. Raises EngineError."""
        with self._running_changed:
            if self.is_stopping:
                raise EngineError.refused(ABORTED, "The engine is stopping; try again shortly")
            self._running += 1
        try:
            return self.database.execute(request)
        finally:
            with self._running_changed:
                self._running -= 1
                self._running_changed.notify_all()

    def drain(self, timeout_seconds: float) -> bool:
        """End the statements that run. True when none is left in time."""
        deadline = time.monotonic() + timeout_seconds
        with self._running_changed:
            is_idle = self._running == 0
        while not is_idle and time.monotonic() < deadline:
            # Again and again: a statement counts as running a moment before the engine knows it.
            self.database.kill_everything()
            with self._running_changed:
                is_idle = self._running_changed.wait_for(
                    lambda: self._running == 0, min(0.2, max(0.0, deadline - time.monotonic()))
                )
        return is_idle

    def handle_error(self, request: object, client_address: object) -> None:
        logger.exception("connection.failed")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS
    rbufsize = 256 * 1024
    server: EngineServer

    def handle_one_request(self) -> None:
        """As inherited, but for addresses as long as ClickHouse takes: parameters are in them."""
        try:
            self.raw_requestline = self.rfile.readline(_MAX_REQUEST_LINE_BYTES + 1)
            if len(self.raw_requestline) > _MAX_REQUEST_LINE_BYTES:
                self.requestline = self.request_version = self.command = ""
                self.send_error(414)
            elif not self.raw_requestline:
                self.close_connection = True
            elif self.parse_request():
                if self.command in ("GET", "POST"):
                    self._answer()
                else:
                    self.send_error(501, f"Unsupported method ({self.command!r})")
        except (ConnectionError, TimeoutError) as error:
            logger.info("client.gone reason=%s", error)
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing for each request; what fails is logged where it fails."""

    def _answer(self) -> None:
        url = urlsplit(self.path)
        try:
            if url.path == "/ping":
                self._read_body(65536)
                self._send(200, b"Ok.\n", {})
            else:
                self._answer_query(url.path, url.query)
        except EngineError as error:
            self._send_error(error)
        except bodies.BodyCutShort as error:
            logger.info("client.gone reason=%s", error)
            self.close_connection = True

    def _answer_query(self, path: str, query_string: str) -> None:
        # Until the body has been read, what follows on the connection is not a request.
        is_read, query_id = False, ""
        try:
            arguments = requests.parse_arguments(query_string)
            query_id = arguments.get("query_id", "")
            self._authorise(arguments)
            if path != "/":
                raise EngineError.refused(BAD_ARGUMENTS, f"There is no page {path!r} here", 404)
            limit = self.server.max_body_bytes
            body = self._read_body(limit)
            is_read = True
            body = bodies.decode(body, self.headers.get("Content-Encoding"), limit)
            request = requests.parse(self.command, arguments, self.headers, body)
            query_id = request.query_id
            answer = self._execute(request)
        except EngineError as error:
            self._send_error(error, query_id, linger=not is_read)
            return
        self._send(200, answer.body, _headers(answer, query_id))

    def _execute(self, request: requests.QueryRequest) -> Answer:
        try:
            return self.server.execute(request)
        except EngineError:
            raise
        except Exception as error:  # the edge: whatever it is, the client gets an answer
            logger.exception("query.failed query_id=%s", request.query_id)
            raise EngineError.refused(STD_EXCEPTION, f"{type(error).__name__}: {error}") from error

    def _read_body(self, limit: int) -> bytes:
        return bodies.read(
            self.rfile,  # type: ignore[arg-type]  # a BufferedReader
            self.headers.get("Content-Length"),
            self.headers.get("Transfer-Encoding"),
            limit,
        )

    def _authorise(self, arguments: dict[str, str]) -> None:
        given = self._credentials(arguments)
        is_user = hmac.compare_digest(given.user.encode(), USER.encode())
        is_token = hmac.compare_digest(given.password.encode(), self.server.token.encode())
        if not (is_user and is_token):
            raise EngineError.refused(
                AUTHENTICATION_FAILED,
                f"{given.user or 'Nobody'}: Authentication failed: the token is wrong or missing, "
                "or there is no user with such a name",
            )

    def _credentials(self, arguments: dict[str, str]) -> requests.Credentials:
        headers = self.headers
        if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
            return requests.Credentials(
                headers.get("X-ClickHouse-User") or USER, headers.get("X-ClickHouse-Key") or ""
            )
        scheme, _, value = headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                decoded = base64.b64decode(value.strip(), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return requests.Credentials("", "")
            user, _, password = decoded.partition(":")
            return requests.Credentials(user, password)
        return requests.Credentials(arguments.get("user", USER), arguments.get("password", ""))

    def _send_error(self, error: EngineError, query_id: str = "", linger: bool = False) -> None:
        headers = {"X-ClickHouse-Exception-Code": str(error.code)}
        if query_id:
            headers["X-ClickHouse-Query-Id"] = query_id
        if linger:
            self.close_connection = True
        self._send(error.status, str(error).encode() + b"\n", headers)
        if linger:
            self._discard_input()

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Internal Server Error')}"]
        sent = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-ClickHouse-Server-Display-Name": _SERVER_NAME,
            "X-ClickHouse-Timezone": "UTC",
            **headers,
            "Content-Length": str(len(body)),
            "Connection": "close" if self.close_connection else "keep-alive",
        }
        lines += [f"{name}: {_one_line(value)}" for name, value in sent.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        if len(body) < 65536:
            self.wfile.write(head + body)
        else:
            self.wfile.write(head)
            self.wfile.write(body)

    def _discard_input(self) -> None:
        """Read on for a moment: closing with unread input would reset the answer away."""
        deadline = time.monotonic() + _LINGER_SECONDS
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(_LINGER_SECONDS)
        while time.monotonic() < deadline and self.rfile.read1(1024 * 1024):
            continue


def _headers(answer: Answer, query_id: str) -> dict[str, str]:
    summary = {
        "read_rows": str(answer.read_rows),
        "read_bytes": str(answer.read_bytes),
        "written_rows": str(answer.written_rows),
        "written_bytes": str(answer.written_bytes),
        "result_rows": str(answer.result_rows),
        "result_bytes": str(len(answer.body)),
        "elapsed_ns": str(answer.elapsed_ns),
    }
    headers = {"X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Summary": json.dumps(summary)}
    if answer.format_name is not None:
        headers["X-ClickHouse-Format"] = answer.format_name
    return headers


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")
