"""Daphne's requests with limits that hold while the body arrives.

Daphne hands a request over when its whole body is here, so the application's own limits come too
late: a sender could fill disk and memory first. Size, time and the sum of all bodies are therefore
watched here, for every request; whoever exceeds them is answered and left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from daphne.http_protocol import WebRequest
from daphne.server import Server
from twisted.internet import reactor

from traces.otlp import answers, request_headers
from traces.otlp.answers import Refused
from traces.otlp.decoder import Encoding
from traces.otlp.limits import Limits, Waiting
from traces.store.errors import Overloaded

log = logging.getLogger(__name__)

_LINGER_SECONDS = 2.0
"""A connection that is closed with unread data is reset, and its answer lost: what still comes is
thrown away for so long, and no more of it than this."""
_LINGER_BYTES = 16 * 1024**2


Tell = Callable[[str, Refused, int], None]
"""Raw API key, answer, bytes that had arrived."""


class BoundedServer(Server):
    """Daphne's server, whose requests keep to `limits`; `tell` hears of those with a key that did
    not, in the reactor's thread.
    """

    def __init__(self, *args: Any, limits: Limits, tell: Tell, **options: Any) -> None:
        super().__init__(*args, **options, ready_callable=lambda: _apply(self, limits, tell))


def _apply(server: Server, limits: Limits, tell: Tell) -> None:
    """Before the reactor runs, while nobody can be connected."""
    waiting = Waiting(limits.waiting_bytes)
    build = server.http_factory.buildProtocol

    def build_protocol(address: Any) -> Any:
        protocol = build(address)
        protocol.requestFactory = lambda channel, *rest: BoundedRequest(
            channel, *rest, limits=limits, waiting=waiting, tell=tell
        )
        return protocol

    server.http_factory.buildProtocol = build_protocol


class BoundedRequest(WebRequest):
    def __init__(self, *args: Any, limits: Limits, waiting: Waiting, tell: Tell) -> None:
        super().__init__(*args)
        self._limits = limits
        self._tell = tell
        self._held = waiting.hold()
        self._is_refused = False
        self._thrown_away = 0
        self._timer: Any = None

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """The headers are here; `length` is None for a chunked body."""
        super().gotLength(length)
        # Whose key it is, is not known here; bodies of one key count as one sender's.
        self._held.owner = self.requestHeaders.getRawHeaders(b"authorization", [None])[0]
        if length is not None and length > self._limits.compressed_bytes:
            self._refuse(self._too_large())
        elif length != 0:
            self._timer = _later(self._limits.body_seconds, self._is_late)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        if self._is_refused:
            self._thrown_away += len(data)
            if self._thrown_away > _LINGER_BYTES:
                self.channel.transport.abortConnection()
            return
        try:
            self._held.take(len(data))
        except Overloaded as error:
            self._refuse(Refused(503, f"{error} Send it again in 1 s.", retry_after="1"))
            return
        if self._held.bytes > self._limits.compressed_bytes:
            self._refuse(self._too_large())
        else:
            super().handleContentChunk(data)

    def process(self) -> Any:
        self._stop_timer()
        return None if self._is_refused else super().process()

    def finish(self) -> None:
        self._held.release()
        super().finish()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        self._stop_timer()
        self._held.release()
        super().connectionLost(reason)

    def _too_large(self) -> Refused:
        limit = self._limits.compressed_bytes
        return Refused(413, f"Too large: more than {limit} bytes. Send smaller batches.")

    def _is_late(self) -> None:
        seconds = self._limits.body_seconds
        self._refuse(Refused(408, f"The body did not arrive within {seconds:g} seconds."))

    def _refuse(self, refusal: Refused) -> None:
        """Answer past Twisted, which would wait for the rest of the body."""
        self._is_refused = True
        self._stop_timer()
        arrived_bytes = self._held.bytes
        self._held.release()
        log.warning("web.body_refused status=%d", refusal.status)
        if raw_key := request_headers.raw_key(self._headers()):
            self._tell(raw_key, refusal, arrived_bytes)
        answer = answers.refused(self._encoding(), refusal)
        phrase = HTTPStatus(answer.status).phrase
        head = [f"HTTP/1.1 {answer.status} {phrase}".encode(), b"connection: close"]
        head += [name + b": " + value for name, value in answer.raw_headers]
        transport = self.channel.transport
        transport.write(b"\r\n".join(head) + b"\r\n\r\n" + answer.body)
        transport.loseWriteConnection()
        self._timer = _later(_LINGER_SECONDS, transport.abortConnection)

    def _headers(self) -> dict[str, str]:
        sent = self.requestHeaders.getAllRawHeaders()
        return request_headers.named((name, values[0]) for name, values in sent)

    def _encoding(self) -> Encoding:
        sent: list[bytes] = self.requestHeaders.getRawHeaders(b"content-type", [b""])
        return "protobuf" if b"protobuf" in sent[0] else "json"

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None


def _later(seconds: float, call: Callable[[], None]) -> Any:
    return cast(Any, reactor).callLater(seconds, call)
