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
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from traces import pricing
from traces.admission import book as admission
from traces.otlp import answers, decoder, encoding, memory, request_headers, sdk, signals
from traces.otlp.answers import Answer, Refused
from traces.otlp.arrived import Arrived
from traces.otlp.decoded import MalformedBody, Rejection
from traces.otlp.decoder import Encoding
from traces.otlp.fair_threads import FairThreads
from traces.otlp.limits import Hold, Limits, Waiting, limits_from_settings
from traces.otlp.signals import Signal
from traces.semconv import agent_metrics, log_records, normalize
from traces.store.errors import Overloaded, StoreError

__all__ = [
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

RETRY_SECONDS = 5
RETRY_SOON_SECONDS = 1
_FAILED_HERE = "The request failed here; the log of the receiver says why."
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
# Two keep this machine's processes busy; a third is always there for another project.
_THREADS, _THREADS_A_PROJECT = 3, 2


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
Admit = Callable[[K, int, int], None]
"""Key, spans, decompressed bytes: charges them to the project, or raises Refused. First asked with
nothing, before a body is read.
"""


class _Gone(Exception):
    """The client left before its body was complete."""


def _unnoticed(key: object, refusal: Refused, size: int) -> None:
    return None


def _unlimited(key: object, spans: int, size: int) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Sent:
    """A whole request as it came."""

    signal: Signal
    body: bytes
    encoding: Encoding
    content_encoding: str
    headers: Mapping[str, str]


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
        admit: Admit[K] = _unlimited,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._authorize = authorize
        self._prepare = prepare
        self._write = write
        self._refused = refused
        self._admit = admit
        self._limits = limits
        self._now_ns = now_ns
        self._waiting = Waiting(limits.waiting_bytes)
        self._trims = False
        self._threads = FairThreads(_THREADS, _THREADS_A_PROJECT, name="otlp-decode")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = request_headers.of(scope)
        answer_in = _ENCODINGS.get(request_headers.media_type(headers), "json")
        try:
            answer = await self._answer(scope, headers, receive)
        except _Gone:
            log.info("otlp.client_gone path=%s", scope["path"])
            return
        except Refused as refusal:
            answer = answers.refused(answer_in, refusal)
        await _send(answer, send)

    async def _answer(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Answer:
        try:
            signal = _signal(scope)
        except Refused as refusal:
            await self.tell(request_headers.raw_key(headers), refusal)
            raise
        media_type = request_headers.media_type(headers)

        async def sent(held: Hold) -> Sent:
            request_encoding = _ENCODINGS.get(media_type)
            if request_encoding is None:
                raise Refused(
                    415,
                    f"Content-Type {media_type[:100] or '(none)'!r} is not OTLP. "
                    "Send application/x-protobuf or application/json.",
                )
            body = await self._body(headers, receive, held)
            coding = headers.get("content-encoding", "")
            return Sent(signal, body, request_encoding, coding, headers)

        rejected = await self.take(request_headers.raw_key(headers), sent)
        return answers.stored(_ENCODINGS[media_type], rejected, signal)

    async def take(
        self, raw: str, receive: Callable[[Hold], Awaitable[Sent]]
    ) -> Sequence[Rejection]:
        """What `receive` gives, once the key is good; returns when all of it is stored, but for
        what is rejected. Raises Refused for whatever goes wrong, and what `receive` raises.
        """
        key: K | None = None
        held = self._waiting.hold()
        try:
            key = await self._key(raw)
            held.owner = key.project_id
            self._admit(key, 0, 0)
            sent = await receive(held)
            prepared, rejected = await self._prepared(sent, key, held)
            await self._write(prepared)
            return rejected
        except _Gone:
            raise
        except Refused as refusal:
            self._refused(key, refusal, held.bytes)
            raise
        except StoreError as error:
            log.warning("otlp.not_stored reason=%s", error)
            not_stored = _not_stored(error)
            self._refused(key, not_stored, held.bytes)
            raise not_stored from error
        except Exception as error:  # the stage's edge: on a 500 exporters drop their spans
            incident = uuid.uuid4().hex[:12]
            log.exception("otlp.failed incident=%s", incident)
            self._refused(key, Refused(503, _FAILED_HERE), held.bytes)
            message = f"The request failed here (incident {incident}). Send it again later."
            raise Refused(503, message, retry_after=str(RETRY_SECONDS)) from error
        finally:
            if held.bytes >= _LARGE_BYTES:
                self._trim_soon()
            held.release()

    async def tell(self, raw: str, refusal: Refused, size: int = 0) -> None:
        """Of what was refused before it came to `take`: `refused` hears of it if the key is good.

        Whose key it is, is not known while the database is away: then nobody is told.
        """
        with suppress(StoreError):
            key = await self._authorize(raw) if raw else None
            if key is not None:
                self._refused(key, refusal, size)

    async def _key(self, raw: str) -> K:
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

    async def _prepared(self, sent: Sent, key: K, held: Hold) -> tuple[P, Sequence[Rejection]]:
        def work() -> tuple[P, Sequence[Rejection]]:
            # What was decoded is let go here: freeing it takes a tenth of the work, and in the
            # event loop everybody would wait for that.
            arrived = self._decoded(sent, key, held)
            return self._prepare(arrived, key), arrived.rejected

        on_loop = _ENCODED_BYTES_ON_LOOP if sent.content_encoding else _PLAIN_BYTES_ON_LOOP
        if len(sent.body) <= on_loop:
            return work()
        return await self._threads.run(key.project_id, work)

    def _decoded(self, sent: Sent, key: K, held: Hold) -> Arrived:
        body = sent.body
        try:
            if sent.content_encoding:
                body = encoding.decompress(body, sent.content_encoding, self._limits.body_bytes)
                held.take(len(body))
            decoded = decoder.decode(body, sent.encoding, sent.signal)
        except (encoding.TooLarge, decoder.TooManyValues) as error:
            raise Refused(413, f"Too large: {error}. Send smaller batches.") from None
        except encoding.UnknownEncoding as error:
            raise Refused(415, f"{error}.", accept_encoding=encoding.SUPPORTED) from None
        except (encoding.BrokenEncoding, MalformedBody) as error:
            raise Refused(400, f"Malformed: {error}.") from None
        records = decoded.records
        size = sum(metric.point_count for metric in records) if sent.signal == "metrics" else 0
        size = size or len(records)
        if size > self._limits.spans_per_request:
            raise Refused(
                413,
                f"Too large: {size} {signals.NAMES[sent.signal].record}s in one request, "
                f"more than {self._limits.spans_per_request}. Send smaller batches.",
            )
        self._admit(key, len(records) if sent.signal == "traces" else 0, len(body))
        received_ns = self._now_ns()
        origin: Any = {"project_id": key.project_id, "received_ns": received_ns}
        usage, refused = agent_metrics.of(records if sent.signal == "metrics" else (), **origin)
        return Arrived(
            spans=normalize.spans(records, **origin) if sent.signal == "traces" else (),
            logs=log_records.of(records, **origin) if sent.signal == "logs" else (),
            signal=sent.signal,
            usage=usage,
            rejected=[*decoded.rejected, *refused],
            received_ns=received_ns,
            encoding=sent.encoding,
            content_encoding=sent.content_encoding,
            compressed_bytes=len(sent.body),
            body_bytes=len(body),
            sdk=sdk.of(sent.headers, records[0].resource.attributes if records else {}),
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
                # else the first spans wait for it
                await asyncio.to_thread(pricing.load)
                await asyncio.to_thread(admission.load)
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await send({"type": "lifespan.shutdown.complete"})
                return


def _signal(scope: Scope) -> Signal:
    path = scope["path"]
    signal = signals.of_path(path)
    if signal is None:
        posted = " and ".join(f"{one} to /v1/{one}" for one in signals.SERVED)
        raise Refused(404, f"Nothing is at {path[:200]!r}. Post {posted}.")
    if scope["method"] != "POST":
        raise Refused(405, f"{signal.capitalize()} are posted; use POST.", allow="POST")
    return signal


def _not_stored(error: StoreError) -> Refused:
    seconds = RETRY_SOON_SECONDS if isinstance(error, Overloaded) else RETRY_SECONDS
    message = f"Not stored: {error} Send it again in {seconds} s."
    return Refused(503, message, retry_after=str(seconds))


async def _send(answer: Answer, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": answer.raw_headers,
        }
    )
    await send({"type": "http.response.body", "body": answer.body})
