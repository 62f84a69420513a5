"""OTLP over HTTP as a raw ASGI application: authorise, limit, decompress, decode, normalise, write.

200 is answered only after `write` has returned. What was not stored is answered 503 with
Retry-After, after which every exporter sends again; on 500 and redirects they drop their spans, so
neither happens.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from traces import pricing
from traces.otlp import answers, decoder, encoding, memory
from traces.otlp.answers import Answer, Refused
from traces.otlp.arrived import Arrived
from traces.otlp.decoded import MalformedBody
from traces.otlp.decoder import Encoding
from traces.otlp.limits import Hold, Limits, Waiting, limits_from_settings
from traces.semconv import normalize
from traces.store.errors import Overloaded, StoreError

__all__ = [
    "PATHS",
    "ASGIApplication",
    "Key",
    "Limits",
    "Receive",
    "Receiver",
    "Scope",
    "Send",
    "limits_from_settings",
]

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

PATHS = frozenset({"/v1/traces", "/api/v1/public/traces"})
RETRY_SECONDS = 5
RETRY_SOON_SECONDS = 1
_ENCODINGS: dict[str, Encoding] = {
    "application/x-protobuf": "protobuf",
    "application/protobuf": "protobuf",
    "application/json": "json",
}
# Up to here the work takes about a millisecond, less than a thread's round trip is worth.
_PLAIN_BYTES_ON_LOOP = 64 * 1024
_ENCODED_BYTES_ON_LOOP = 8 * 1024
# A request that held so much leaves enough behind for it to be worth giving back.
_LARGE_BYTES = 4 * 1024**2
_TRIM_SECONDS = 1.0


class Key(Protocol):
    """What the receiver needs to know of a good key."""

    @property
    def project_id(self) -> UUID: ...


K = TypeVar("K", bound=Key)
P = TypeVar("P")
Authorize = Callable[[str], Awaitable[K | None]]
Prepare = Callable[[Arrived, K], P]
Write = Callable[[P], Awaitable[None]]
Refusal = Callable[[K | None, Refused, int], None]
"""Key (None: without a good one), answer, bytes that had arrived."""


class _Gone(Exception):
    """The client left before its body was complete."""


def _unnoticed(key: object, refusal: Refused, size: int) -> None:
    return None


class Receiver(Generic[K, P]):
    """`authorize` says what a raw key opens (None: a bad one), `prepare` makes of a request what is
    written, beside the event loop when it is large, `write` returns when all of it is stored, and
    `refused` hears of what was refused.

    `authorize` and `write` may raise StoreError, which is answered 503.
    """

    def __init__(
        self,
        authorize: Authorize[K],
        prepare: Prepare[K, P],
        write: Write[P],
        limits: Limits,
        *,
        refused: Refusal[K] = _unnoticed,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._authorize = authorize
        self._prepare = prepare
        self._write = write
        self._refused = refused
        self._limits = limits
        self._now_ns = now_ns
        self._waiting = Waiting(limits.waiting_bytes)
        self._trims = False
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="otlp-decode")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        answer_in = _ENCODINGS.get(_media_type(headers), "json")
        try:
            answer = await self._answer(scope, headers, receive)
        except _Gone:
            log.info("otlp.client_gone path=%s", scope["path"])
            return
        except Refused as refusal:
            answer = answers.refused(answer_in, refusal)
        except StoreError as error:
            log.warning("otlp.not_stored reason=%s", error)
            answer = answers.refused(answer_in, _not_stored(error))
        except Exception:  # the stage's edge: a 500 would make the exporter drop its spans
            incident = uuid.uuid4().hex[:12]
            log.exception("otlp.failed incident=%s", incident)
            message = f"The request failed here (incident {incident}). Send it again later."
            failure = Refused(503, message, retry_after=str(RETRY_SECONDS))
            answer = answers.refused(answer_in, failure)
        await _send(answer, send)

    async def _answer(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Answer:
        _check_route(scope)
        key: K | None = None
        held = self._waiting.hold()
        try:
            key = await self._key(headers)
            return await self._taken(headers, receive, key, held)
        except Refused as refusal:
            self._refused(key, refusal, held.bytes)
            raise
        finally:
            if held.bytes >= _LARGE_BYTES:
                self._trim_soon()
            held.release()

    async def _taken(self, headers: dict[str, str], receive: Receive, key: K, held: Hold) -> Answer:
        request_encoding = _ENCODINGS.get(_media_type(headers))
        if request_encoding is None:
            raise Refused(
                415,
                f"Content-Type {_media_type(headers)[:100] or '(none)'!r} is not OTLP. "
                "Send application/x-protobuf or application/json.",
            )
        body = await self._body(headers, receive, held)
        prepared, arrived = await self._prepared(
            body, headers.get("content-encoding", ""), request_encoding, key, held
        )
        await self._write(prepared)
        return answers.stored(request_encoding, arrived.rejected)

    async def _key(self, headers: dict[str, str]) -> K:
        raw = _raw_key(headers)
        if not raw:
            raise Refused(
                401,
                "No API key. Send 'Authorization: Bearer <key>' with a key of your project.",
                www_authenticate="Bearer",
            )
        key = await self._authorize(raw)
        if key is None:
            raise Refused(
                401,
                "This API key is unknown, revoked or may not send traces. "
                "Make a new one in the project's settings.",
                www_authenticate="Bearer",
            )
        return key

    async def _body(self, headers: dict[str, str], receive: Receive, held: Hold) -> bytes:
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:19]) > self._limits.compressed_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                return await self._received(receive, held)
        except TimeoutError:
            raise Refused(
                408, f"The body did not arrive within {self._limits.body_seconds:g} seconds."
            ) from None

    async def _received(self, receive: Receive, held: Hold) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            piece: bytes = message.get("body", b"")
            size += len(piece)
            if size > self._limits.compressed_bytes:
                raise self._too_large()
            held.take(len(piece))
            pieces.append(piece)
            if not message.get("more_body", False):
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _prepared(
        self, body: bytes, content_encoding: str, request_encoding: Encoding, key: K, held: Hold
    ) -> tuple[P, Arrived]:
        def work() -> tuple[P, Arrived]:
            arrived = self._decoded(body, content_encoding, request_encoding, key.project_id, held)
            return self._prepare(arrived, key), arrived

        on_loop = _ENCODED_BYTES_ON_LOOP if content_encoding else _PLAIN_BYTES_ON_LOOP
        if len(body) <= on_loop:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _decoded(
        self,
        body: bytes,
        content_encoding: str,
        request_encoding: Encoding,
        project_id: UUID,
        held: Hold,
    ) -> Arrived:
        compressed_bytes = len(body)
        try:
            if content_encoding:
                body = encoding.decompress(body, content_encoding, self._limits.body_bytes)
                held.take(len(body))
            decoded = decoder.decode(body, request_encoding)
        except encoding.TooLarge as error:
            raise Refused(413, f"Too large: {error}. Send smaller batches.") from None
        except encoding.UnknownEncoding as error:
            raise Refused(415, f"{error}.", accept_encoding=encoding.SUPPORTED) from None
        except (encoding.BrokenEncoding, MalformedBody) as error:
            raise Refused(400, f"Malformed: {error}.") from None
        if len(decoded.spans) > self._limits.spans_per_request:
            raise Refused(
                413,
                f"Too large: {len(decoded.spans)} spans in one request, "
                f"more than {self._limits.spans_per_request}. Send smaller batches.",
            )
        received_ns = self._now_ns()
        return Arrived(
            spans=normalize.spans(decoded.spans, project_id=project_id, received_ns=received_ns),
            rejected=decoded.rejected,
            received_ns=received_ns,
            encoding=request_encoding,
            content_encoding=content_encoding,
            compressed_bytes=compressed_bytes,
            body_bytes=len(body),
            resource=decoded.spans[0].resource.attributes if decoded.spans else {},
        )

    def _trim_soon(self) -> None:
        """When the request is over, and once for all that end within the same second."""
        if not self._trims:
            self._trims = True
            asyncio.get_running_loop().call_later(_TRIM_SECONDS, self._trim)

    def _trim(self) -> None:
        self._trims = False
        self._threads.submit(memory.trim)

    def _too_large(self) -> Refused:
        limit = self._limits.compressed_bytes
        return Refused(413, f"Too large: more than {limit} bytes. Send smaller batches.")

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await asyncio.to_thread(pricing.load)  # else the first spans wait for it
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await send({"type": "lifespan.shutdown.complete"})
                return


def _check_route(scope: Scope) -> None:
    path = scope["path"]
    if path.removesuffix("/") not in PATHS:
        raise Refused(404, f"Nothing is at {path[:200]!r}. Post traces to /v1/traces.")
    if scope["method"] != "POST":
        raise Refused(405, "Traces are posted; use POST.", allow="POST")


def _not_stored(error: StoreError) -> Refused:
    seconds = RETRY_SOON_SECONDS if isinstance(error, Overloaded) else RETRY_SECONDS
    message = f"Not stored: {error} Send it again in {seconds} s."
    return Refused(503, message, retry_after=str(seconds))


def _headers(scope: Scope) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


def _media_type(headers: dict[str, str]) -> str:
    return headers.get("content-type", "").split(";", 1)[0].strip().lower()


def _raw_key(headers: dict[str, str]) -> str:
    scheme, _, key = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return headers.get("x-api-key", "").strip()


async def _send(answer: Answer, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": answer.raw_headers,
        }
    )
    await send({"type": "http.response.body", "body": answer.body})
