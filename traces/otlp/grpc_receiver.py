"""OTLP over gRPC: the same receiver behind another door, in the same event loop.

https://opentelemetry.io/docs/specs/otlp/#otlpgrpc. A message is read only once its sender's key is
known and there is room for it, so that strangers and crowds cost no memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from traces.otlp import answers, request_headers
from traces.otlp.answers import Refused
from traces.otlp.fair_room import FairRoom
from traces.otlp.limits import Hold
from traces.otlp.receiver import Receiver, Sent
from traces.otlp.signals import Signal

log = logging.getLogger(__name__)

_SERVICES: dict[str, Signal] = {
    "opentelemetry.proto.collector.trace.v1.TraceService": "traces",
    "opentelemetry.proto.collector.logs.v1.LogsService": "logs",
    "opentelemetry.proto.collector.metrics.v1.MetricsService": "metrics",
}
# By the status that HTTP would be answered with; which of these a client sends again is said by the
# specification, of RESOURCE_EXHAUSTED only with a RetryInfo.
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    415: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
_ROOM_SECONDS = 1.0
_STOP_SECONDS = 1.0
_END_SECONDS = 0.05
"""After the end of the messages: so soon the library cancels a call that it has cut off."""


class _CutOff(Refused):
    """The call is over, and nobody hears an answer of ours.

    The library refuses a message over the limit by itself, unseen by whoever reads messages; that
    and a sender that leaves look alike.
    """


class CannotListen(Exception):
    """The address cannot be had; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate chain and private key, PEM."""

    certificate: bytes
    key: bytes


class GrpcReceiver:
    """Serves from `start` to `stop`, in the loop that runs them.

    A message may have `message_bytes` when it is decompressed; `messages` are read at once, at most
    half of them of one project.
    """

    def __init__(
        self,
        receiver: Receiver[Any, Any],
        *,
        message_bytes: int,
        messages: int,
        message_seconds: float,
    ) -> None:
        self._receiver = receiver
        self._message_bytes = message_bytes
        self._message_seconds = message_seconds
        self._room = FairRoom(messages, max(1, messages // 2))
        self._server: grpc.aio.Server | None = None

    async def start(
        self, host: str, port: int, *, tls: Tls | None = None, is_shared: bool = False
    ) -> int:
        """Returns the port, also where it was 0. `is_shared`: somebody else keeps it reserved.

        Raises CannotListen.
        """
        server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", self._message_bytes),
                ("grpc.max_metadata_size", 16 * 1024),
                ("grpc.so_reuseport", int(is_shared)),
            ]
        )
        for name, signal in _SERVICES.items():
            export = grpc.stream_unary_rpc_method_handler(self._export(signal))
            server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(name, {"Export": export}),)
            )
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            bound: int = (
                server.add_secure_port(
                    address, grpc.ssl_server_credentials([(tls.key, tls.certificate)])
                )
                if tls
                else server.add_insecure_port(address)
            )
        except RuntimeError as error:
            raise CannotListen(
                f"OTLP/gRPC cannot listen on {address}; choose another port with "
                "TRACEROOT_GRPC_PORT (0 takes a free one)."
            ) from error
        if not bound:
            raise CannotListen(f"OTLP/gRPC cannot use its certificate and key on {address}.")
        await server.start()
        self._server = server
        return bound

    async def stop(self) -> None:
        """What is being stored is answered; nothing new is taken."""
        if self._server is not None:
            await self._server.stop(_STOP_SECONDS)

    def _export(
        self, signal: Signal
    ) -> Callable[[AsyncIterator[bytes], Any], Coroutine[Any, Any, bytes]]:
        async def export(messages: AsyncIterator[bytes], context: Any) -> bytes:
            metadata = {
                name: value if isinstance(value, str) else ""
                for name, value in context.invocation_metadata() or ()
            }

            async def sent(held: Hold) -> Sent:
                body = await self._message(messages, held.owner, context)
                held.take(len(body))
                return Sent(signal, body, "protobuf", "", metadata)

            try:
                rejected = await self._receiver.take(request_headers.raw_key(metadata), sent)
            except _CutOff:
                raise asyncio.CancelledError from None
            except Refused as refusal:
                await _abort(context, refusal)
                raise
            body: bytes = answers.response(rejected, signal).SerializeToString()
            return body

        return export

    async def _message(
        self, messages: AsyncIterator[bytes], owner: Hashable, context: Any
    ) -> bytes:
        """The call's one message. Raises Refused."""
        try:
            async with asyncio.timeout(_ROOM_SECONDS):
                await self._room.enter(owner)
        except TimeoutError:
            raise Refused(
                503, "More requests arrive than this process takes. Send it again.", retry_after="1"
            ) from None
        try:
            async with asyncio.timeout(self._message_seconds):
                async for message in messages:
                    return message
        except TimeoutError:
            seconds = f"{self._message_seconds:g}"
            raise Refused(408, f"The message did not arrive within {seconds} seconds.") from None
        finally:
            self._room.leave(owner)
        try:
            await asyncio.sleep(_END_SECONDS)
        except asyncio.CancelledError:
            raise self._cut_off(context) from None
        raise Refused(400, "The call ended without a message.")

    def _cut_off(self, context: Any) -> _CutOff:
        remaining_seconds = context.time_remaining()
        if remaining_seconds is not None and remaining_seconds <= 0:
            return _CutOff(408, "The message did not arrive before its sender's own deadline.")
        return _CutOff(
            413,
            f"Too large: more than {self._message_bytes} bytes in one message (or its sender left "
            "before it was whole). Send smaller batches.",
        )


async def _abort(context: Any, refusal: Refused) -> None:
    code = _CODES.get(refusal.status, grpc.StatusCode.UNAVAILABLE)
    status = Status(code=code.value[0], message=refusal.message)
    seconds = refusal.headers.get("retry-after", "")
    if seconds:
        wait = AnyMessage()
        wait.Pack(RetryInfo(retry_delay=Duration(seconds=int(seconds))))
        status.details.append(wait)
    details = ("grpc-status-details-bin", status.SerializeToString())
    await context.abort(code, refusal.message, trailing_metadata=(details,))
