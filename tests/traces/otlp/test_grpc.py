"""OTLP over gRPC, against a real channel and the published exporter."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.traces.otlp.requests import protobuf_request, protobuf_span
from tests.traces.otlp.test_logs_decoding import protobuf_logs
from tests.traces.otlp.test_receiver import (
    KEY,
    LIMITS,
    ONE,
    PROJECT,
    GoodKey,
    Store,
    authorize,
    prepare,
    receiver,
)
from traces.logs import Log
from traces.otlp.answers import Refused
from traces.otlp.arrived import Arrived
from traces.otlp.grpc_receiver import CannotListen, GrpcReceiver, Tls
from traces.otlp.receiver import Receiver
from traces.store.errors import Overloaded, StoreUnavailable

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
BEARER = (("authorization", f"Bearer {KEY}"),)
Call = Callable[..., Awaitable[bytes]]


@asynccontextmanager
async def served(taken: Receiver[Any, Any], **options: Any) -> AsyncIterator[int]:
    server = GrpcReceiver(
        taken,
        message_bytes=LIMITS.compressed_bytes,
        messages=options.pop("messages", 4),
        message_seconds=options.pop("message_seconds", LIMITS.body_seconds),
    )
    port = await server.start("127.0.0.1", 0, **options)
    try:
        yield port
    finally:
        await server.stop()


async def called(
    port: int, body: bytes = ONE, method: str = TRACES, metadata: Any = BEARER, **options: Any
) -> bytes:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        export = channel.unary_unary(method)
        answer: bytes = await export(body, metadata=metadata, timeout=10, **options)
        return answer


def once(store: Store, **call: Any) -> bytes:
    async def run() -> bytes:
        async with served(receiver(store)) as port:
            return await called(port, **call)

    return asyncio.run(run())


def refused(store: Store, **call: Any) -> tuple[grpc.StatusCode, Status, int | None]:
    """Code, status, and after how many seconds to send again."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        once(store, **call)
    trailing = dict(failed.value.trailing_metadata() or ())
    status = Status.FromString(trailing.get("grpc-status-details-bin", b""))
    seconds = None
    for detail in status.details:
        wait = RetryInfo()
        assert detail.Unpack(wait)
        seconds = wait.retry_delay.seconds
    return failed.value.code(), status, seconds


@pytest.mark.parametrize("metadata", [BEARER, (("x-api-key", KEY),)])
@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_spans_are_stored_before_the_answer(metadata: Any, compression: grpc.Compression) -> None:
    store = Store()
    answer = once(store, metadata=metadata, compression=compression)
    assert ExportTraceServiceResponse.FromString(answer) == ExportTraceServiceResponse()
    assert [span.name for span in store.spans] == ["answer"]


def test_a_bad_span_is_counted_in_the_answer() -> None:
    store = Store()
    sent = protobuf_request(protobuf_span(), protobuf_span(trace_id=b"abc")).SerializeToString()
    partial = ExportTraceServiceResponse.FromString(once(store, body=sent)).partial_success
    assert partial.rejected_spans == 1
    assert "trace id has 3 bytes" in partial.error_message
    assert len(store.spans) == 1


def test_log_records_go_through_their_own_service() -> None:
    stored: list[Log] = []

    async def write(logs: Sequence[Log]) -> None:
        stored.extend(logs)

    def prepare(arrived: Arrived, key: GoodKey) -> Sequence[Log]:
        return arrived.logs

    async def run() -> bytes:
        async with served(Receiver(authorize, prepare, write, LIMITS)) as port:
            return await called(port, protobuf_logs().SerializeToString(), LOGS)

    answer = asyncio.run(run())
    assert ExportLogsServiceResponse.FromString(answer) == ExportLogsServiceResponse()
    assert [log.event_name for log in stored] == ["refund.asked"]


@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer tr-bad"),)])
def test_strangers_are_told_so(metadata: Any) -> None:
    code, status, seconds = refused(Store(), metadata=metadata)
    assert (code, seconds) == (grpc.StatusCode.UNAUTHENTICATED, None)
    assert "API key" in status.message
    assert status.code == 16


@pytest.mark.parametrize(
    ("trouble", "seconds"), [(StoreUnavailable("Away."), 5), (Overloaded("Full."), 1)]
)
def test_what_is_not_stored_is_to_be_sent_again(trouble: Exception, seconds: int) -> None:
    code, status, wait = refused(Store(trouble=trouble))
    assert (code, wait) == (grpc.StatusCode.UNAVAILABLE, seconds)
    assert status.message.startswith("Not stored:")


def test_an_unforeseen_failure_is_to_be_sent_again() -> None:
    code, status, wait = refused(Store(trouble=ZeroDivisionError("secret")))
    assert (code, wait) == (grpc.StatusCode.UNAVAILABLE, 5)
    assert "secret" not in status.message


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_a_message_over_the_limit_is_not_to_be_sent_again(compression: grpc.Compression) -> None:
    code, _, wait = refused(Store(), body=b"\0" * 30_000, compression=compression)
    assert (code, wait) == (grpc.StatusCode.RESOURCE_EXHAUSTED, None)


Told = list[tuple[UUID | None, int, str]]


def telling(told: Told, admit: Callable[[GoodKey, int, int], None] | None = None) -> Any:
    def refused(key: GoodKey | None, refusal: Refused, size: int) -> None:
        told.append((key.project_id if key else None, refusal.status, refusal.message))

    more = {"admit": admit} if admit else {}
    return Receiver(authorize, prepare, Store().write, LIMITS, refused=refused, **more)


async def failed(port: int, **call: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await called(port, **call)
    return error.value.code()


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_whoever_has_a_good_key_hears_of_a_message_over_the_limit(
    compression: grpc.Compression, caplog: pytest.LogCaptureFixture
) -> None:
    """The library answers it before anybody could read it."""
    told: Told = []

    async def run() -> None:
        large = {"body": b"\0" * 30_000, "compression": compression}
        async with served(telling(told)) as port:
            assert await failed(port, **large) == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert await failed(port, metadata=(), **large) == grpc.StatusCode.UNAUTHENTICATED
            await called(port)  # and the next message is served

    asyncio.run(run())
    assert told[0][:2] == (PROJECT, 413)
    assert told[0][2].startswith("Too large: more than 20000 bytes in one message (or its sender")
    assert [status for _, status, _ in told[1:]] == [401]
    assert not caplog.records


def test_whoever_has_a_good_key_hears_of_calls_over_the_rate_and_of_no_others() -> None:
    told: Told = []

    def admit(key: GoodKey, spans: int, size: int) -> None:
        raise Refused(429, "Too many spans.", retry_after="7")

    async def run() -> None:
        async with served(telling(told, admit)) as port:
            assert await failed(port) == grpc.StatusCode.RESOURCE_EXHAUSTED
            stranger = await failed(port, metadata=(("authorization", "Bearer tr-bad"),))
            assert stranger == grpc.StatusCode.UNAUTHENTICATED

    asyncio.run(run())
    assert [(project, status) for project, status, _ in told] == [(PROJECT, 429), (None, 401)]


def test_a_call_without_a_message_and_one_past_its_deadline_are_told_apart() -> None:
    told: Told = []

    async def run() -> None:
        async with (
            served(telling(told), message_seconds=5.0) as port,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            empty = channel.stream_unary(TRACES)(metadata=BEARER)
            await empty.done_writing()
            assert await empty.code() == grpc.StatusCode.INVALID_ARGUMENT
            slow = channel.stream_unary(TRACES)(metadata=BEARER, timeout=0.5)
            assert await slow.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            await asyncio.sleep(0.3)

    asyncio.run(run())
    assert [(project, status) for project, status, _ in told] == [(PROJECT, 400), (PROJECT, 408)]


def test_other_content_is_named() -> None:
    code, status, _ = refused(Store(), body=protobuf_logs().SerializeToString())
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert status.message == "Malformed: this is a logs request; post it to /v1/logs."
    code, _, _ = refused(Store(), method="/opentelemetry.Nothing/Export")
    assert code == grpc.StatusCode.UNIMPLEMENTED


def test_a_message_that_does_not_come_is_given_up_and_takes_the_only_room() -> None:
    store = Store()

    async def run() -> tuple[grpc.StatusCode, grpc.StatusCode, float]:
        async with (
            served(receiver(store), messages=1, message_seconds=2.0) as port,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            silent = channel.stream_unary(TRACES)(metadata=BEARER)
            await silent.wait_for_connection()
            await asyncio.sleep(0.2)
            began = time.monotonic()
            with pytest.raises(grpc.aio.AioRpcError) as failed:
                await called(port)
            waited = time.monotonic() - began
            return await silent.code(), failed.value.code(), waited

    silent, crowded, waited = asyncio.run(run())
    assert silent == grpc.StatusCode.DEADLINE_EXCEEDED
    assert crowded == grpc.StatusCode.UNAVAILABLE
    assert waited < 1.8, "the second waits for room no longer than a second"


def test_strangers_do_not_get_room() -> None:
    async def run() -> grpc.StatusCode:
        async with (
            served(receiver(Store()), messages=1, message_seconds=5.0) as port,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            silent = channel.stream_unary(TRACES)()
            return await asyncio.wait_for(silent.code(), 2)

    assert asyncio.run(run()) == grpc.StatusCode.UNAUTHENTICATED


def test_the_published_exporter_delivers() -> None:
    store = Store()

    def send(port: int) -> None:
        exporter = OTLPSpanExporter(
            endpoint=f"http://127.0.0.1:{port}",
            headers={"authorization": f"Bearer {KEY}"},
            compression=grpc.Compression.Gzip,
        )
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        with provider.get_tracer("acme").start_as_current_span("outer"):
            pass
        provider.shutdown()

    async def run() -> None:
        async with served(receiver(store)) as port:
            await asyncio.to_thread(send, port)

    asyncio.run(run())
    assert [span.name for span in store.spans] == ["outer"]


def test_a_taken_port_is_said() -> None:
    async def run() -> None:
        async with served(receiver(Store())) as port:
            server = GrpcReceiver(receiver(Store()), message_bytes=1, messages=1, message_seconds=1)
            with pytest.raises(CannotListen, match="TRACEROOT_GRPC_PORT"):
                await server.start("127.0.0.1", port)

    asyncio.run(run())


def test_with_a_certificate_it_speaks_tls(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    store = Store()

    async def run() -> None:
        tls = Tls(certificate.read_bytes(), key.read_bytes())
        trusted = grpc.ssl_channel_credentials(tls.certificate)
        async with (
            served(receiver(store), tls=tls) as port,
            grpc.aio.secure_channel(f"localhost:{port}", trusted) as channel,
        ):
            await channel.unary_unary(TRACES)(ONE, metadata=BEARER, timeout=10)
            with pytest.raises(grpc.aio.AioRpcError):
                await called(port)

    asyncio.run(run())
    assert len(store.spans) == 1


def test_one_keys_slow_senders_leave_room_for_another_key() -> None:
    async def run() -> bytes:
        async def silence() -> AsyncIterator[bytes]:
            await asyncio.sleep(30)
            yield b""

        async def any_key(raw: str) -> GoodKey:
            return GoodKey(UUID(int=1))

        async def write(arrived: Arrived) -> None:
            return None

        taken = Receiver(any_key, lambda arrived, key: arrived, write, LIMITS)
        slow: Any = (("authorization", "Bearer tr-slow"),)
        async with (
            served(taken, messages=4) as port,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            calls = [channel.stream_unary(TRACES)(silence(), metadata=slow) for _ in range(8)]
            await asyncio.sleep(0.5)
            answer = await called(port)
            for call in calls:
                call.cancel()
            return answer

    assert ExportTraceServiceResponse.FromString(asyncio.run(run())) == ExportTraceServiceResponse()
