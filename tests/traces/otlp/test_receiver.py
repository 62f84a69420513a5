"""The receiver as an ASGI application: its answers to good, bad, large, slow and absent bodies."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from backports import zstd
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.traces.otlp.requests import json_request, json_span, protobuf_request, protobuf_span
from tests.traces.otlp.test_logs_decoding import json_log, json_logs, protobuf_logs
from traces.logs import Log
from traces.otlp.answers import Refused
from traces.otlp.arrived import Arrived
from traces.otlp.receiver import Limits, Message, Receiver, Scope
from traces.spans import Span
from traces.store.errors import Overloaded, StoreRejected, StoreUnavailable

KEY = "tr-good"
PROJECT = UUID("00000000-0000-0000-0000-00000000000a")
LIMITS = Limits(
    compressed_bytes=20_000,
    body_bytes=100_000,
    spans_per_request=50,
    waiting_bytes=200_000,
    body_seconds=0.2,
)
ONE = protobuf_request(protobuf_span()).SerializeToString()


@dataclass(frozen=True)
class GoodKey:
    project_id: UUID


@dataclass
class Store:
    """The rows that were written, or the trouble that writing makes."""

    spans: list[Span] = field(default_factory=list)
    trouble: Exception | None = None

    async def write(self, spans: Sequence[Span]) -> None:
        if self.trouble is not None:
            raise self.trouble
        assert {span.project_id for span in spans} <= {PROJECT}
        self.spans += spans


@dataclass
class Response:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


async def authorize(raw: str) -> GoodKey | None:
    return GoodKey(PROJECT) if raw == KEY else None


def prepare(arrived: Arrived, key: GoodKey) -> Sequence[Span]:
    assert key.project_id == PROJECT
    return arrived.spans


def receiver(store: Store, limits: Limits = LIMITS) -> Receiver[GoodKey, Sequence[Span]]:
    return Receiver(authorize, prepare, store.write, limits, now_ns=lambda: 9_000)


@dataclass
class Sender:
    """A client that sends its body in pieces, and may be slow, or leave."""

    pieces: Sequence[bytes]
    pause_seconds: float = 0.0
    leaves: bool = False
    asked: int = 0
    response: Response = field(default_factory=Response)

    async def receive(self) -> Message:
        self.asked += 1
        await asyncio.sleep(self.pause_seconds)
        position = self.asked - 1
        if position >= len(self.pieces):
            return {"type": "http.disconnect"}
        more = self.leaves or position + 1 < len(self.pieces)
        return {"type": "http.request", "body": self.pieces[position], "more_body": more}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.response.status = message["status"]
            self.response.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            self.response.body += message["body"]


def scope(path: str = "/v1/traces", method: str = "POST", **headers: str) -> Scope:
    known = {"authorization": f"Bearer {KEY}", "content-type": "application/x-protobuf"}
    given = {**known, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(k.encode(), v.encode()) for k, v in given.items() if v],
    }


Post = Callable[..., Response]


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def post(store: Store) -> Post:
    def send(body: bytes = ONE, *, limits: Limits = LIMITS, **request: str) -> Response:
        sender = Sender([body])
        asyncio.run(receiver(store, limits)(scope(**request), sender.receive, sender.send))
        return sender.response

    return send


def message_of(response: Response) -> str:
    if response.headers["content-type"] == "application/json":
        return str(json.loads(response.body)["message"])
    status = Status()
    status.ParseFromString(response.body)
    return str(status.message)


@pytest.mark.parametrize(
    "path", ["/v1/traces", "/v1/traces/", "/api/v1/public/traces", "/api/v1/public/traces/"]
)
def test_protobuf_is_stored_and_answered_in_protobuf(post: Post, store: Store, path: str) -> None:
    response = post(path=path)
    assert response.status == 200
    assert response.headers["content-type"] == "application/x-protobuf"
    assert ExportTraceServiceResponse.FromString(response.body) == ExportTraceServiceResponse()
    (span,) = store.spans
    assert (span.project_id, span.name, span.received_ns) == (PROJECT, "answer", 9_000)


def test_json_is_stored_and_answered_in_json(post: Post, store: Store) -> None:
    body = json_request(json_span())
    response = post(body, content_type="application/json; charset=utf-8")
    assert (response.status, json.loads(response.body)) == (200, {})
    assert response.headers["content-type"] == "application/json"
    assert len(store.spans) == 1


def test_the_key_may_come_as_x_api_key(post: Post, store: Store) -> None:
    assert post(authorization="", x_api_key=KEY).status == 200
    assert store.spans


@pytest.mark.parametrize("headers", [{"authorization": ""}, {"authorization": "Bearer tr-wrong"}])
def test_a_wrong_key_is_refused_before_the_body_is_read(
    store: Store, headers: dict[str, str]
) -> None:
    sender = Sender([ONE])
    asyncio.run(receiver(store)(scope(**headers), sender.receive, sender.send))
    assert sender.response.status == 401
    assert sender.response.headers["www-authenticate"] == "Bearer"
    assert "key" in message_of(sender.response)
    assert sender.asked == 0
    assert not store.spans


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_other_content_types_are_refused(post: Post, content_type: str) -> None:
    response = post(content_type=content_type)
    assert response.status == 415
    assert "application/x-protobuf" in message_of(response)


def test_other_methods_and_paths_are_refused(post: Post) -> None:
    response = post(method="GET")
    assert (response.status, response.headers["allow"]) == (405, "POST")
    assert post(path="/v1/spans").status == 404


def raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("zstd", zstd.compress),
        ("identity", bytes),
    ],
)
def test_encodings_are_undone(
    post: Post, store: Store, encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    assert post(encode(ONE), content_encoding=encoding).status == 200
    assert len(store.spans) == 1


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstd.compress)],
)
def test_a_bomb_is_refused(post: Post, encoding: str, encode: Callable[[bytes], bytes]) -> None:
    response = post(encode(bytes(10_000_000)), content_encoding=encoding)
    assert response.status == 413
    assert "100000 bytes" in message_of(response)


def test_many_small_streams_are_no_way_to_keep_us_busy(post: Post) -> None:
    assert post(gzip.compress(b"") * 900, content_encoding="gzip").status == 400


@pytest.mark.parametrize("body", [b"", b"no gzip", gzip.compress(ONE, mtime=0)[:-9]])
def test_broken_gzip_is_refused(post: Post, body: bytes) -> None:
    response = post(body, content_encoding="gzip")
    assert response.status == 400
    assert "gzip" in message_of(response)


@pytest.mark.parametrize(
    ("body", "encoding", "why"),
    [
        (b"no gzip", "gzip", "the body is not gzip"),
        (ONE, "gzip", "the body is not gzip"),
        (b"{", "gzip", "the body is not gzip"),
        (b'{"resourceSpans": []}', "deflate", "the body is not deflate"),
        (gzip.compress(ONE, mtime=0)[:-9], "gzip", "the gzip body is cut off"),
        (gzip.compress(ONE, mtime=0)[:1], "gzip", "the gzip body is cut off"),
        (zlib.compress(ONE)[:-9], "deflate", "the deflate body is cut off"),
        (gzip.compress(ONE, mtime=0) + b"more", "gzip", "4 bytes follow the end of the gzip body"),
    ],
)
def test_a_body_of_another_encoding_is_not_called_cut_off(
    post: Post, body: bytes, encoding: str, why: str
) -> None:
    response = post(body, content_encoding=encoding)
    assert response.status == 400
    assert why in message_of(response)


def test_an_unknown_encoding_is_refused_with_those_we_know(post: Post) -> None:
    response = post(content_encoding="br")
    assert response.status == 415
    assert "gzip" in response.headers["accept-encoding"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"\xff\xff\xff", "application/x-protobuf"), (b"{", "application/json")],
)
def test_a_malformed_body_is_refused(post: Post, body: bytes, content_type: str) -> None:
    response = post(body, content_type=content_type)
    assert response.status == 400
    assert message_of(response).startswith("Malformed:")


def test_logs_are_sent_to_their_own_path(post: Post) -> None:
    response = post(b'{"resourceLogs": []}', content_type="application/json")
    assert response.status == 400
    assert "post it to /v1/logs" in message_of(response)


def test_a_malformed_span_is_counted_in_the_answer(post: Post, store: Store) -> None:
    bad, good = protobuf_span(name="bad", trace_id=b"short"), protobuf_span()
    response = post(protobuf_request(bad, good).SerializeToString())
    partial = ExportTraceServiceResponse.FromString(response.body).partial_success
    assert (response.status, partial.rejected_spans) == (200, 1)
    assert "'bad'" in partial.error_message
    assert len(store.spans) == 1


def test_a_malformed_span_is_counted_in_json(post: Post) -> None:
    body = json_request(json_span(spanId="zz"), json_span())
    response = post(body, content_type="application/json")
    partial = json.loads(response.body)["partialSuccess"]
    assert (response.status, partial["rejectedSpans"]) == (200, "1")
    assert "spanId" in partial["errorMessage"]


def test_a_declared_length_over_the_limit_is_refused_unread(store: Store) -> None:
    sender = Sender([ONE])
    asyncio.run(receiver(store)(scope(content_length="20001"), sender.receive, sender.send))
    assert (sender.response.status, sender.asked) == (413, 0)


def test_an_undeclared_length_is_counted_while_it_arrives(store: Store) -> None:
    sender = Sender([bytes(8_000)] * 100)
    asyncio.run(receiver(store)(scope(), sender.receive, sender.send))
    assert (sender.response.status, sender.asked) == (413, 3)


def test_too_many_spans_are_refused(post: Post) -> None:
    body = protobuf_request(*[protobuf_span()] * 51).SerializeToString()
    response = post(body)
    assert response.status == 413
    assert "51 spans" in message_of(response)


def test_a_slow_sender_is_told_so(store: Store) -> None:
    sender = Sender([b"x"] * 100, pause_seconds=0.05)
    asyncio.run(receiver(store)(scope(), sender.receive, sender.send))
    assert sender.response.status == 408
    assert not store.spans


def test_nobody_answers_a_client_that_left(store: Store) -> None:
    sender = Sender([ONE], leaves=True)
    asyncio.run(receiver(store)(scope(), sender.receive, sender.send))
    assert sender.response.status == 0
    assert not store.spans


@pytest.mark.parametrize(
    ("trouble", "seconds"),
    [
        (StoreUnavailable("The engine is down."), "5"),
        (StoreRejected("The engine refused."), "5"),
        (Overloaded("Too much waits."), "1"),
        (RuntimeError("a bug"), "5"),
    ],
)
def test_what_was_not_stored_is_to_be_sent_again(
    post: Post, store: Store, trouble: Exception, seconds: str
) -> None:
    store.trouble = trouble
    response = post()
    assert (response.status, response.headers["retry-after"]) == (503, seconds)
    assert "a bug" not in message_of(response)


def test_more_than_may_wait_is_to_be_sent_again(store: Store) -> None:
    """Two requests at once, room for one: one is stored, the other told to come back."""
    limits = replace(LIMITS, waiting_bytes=len(ONE) + 10)
    application = receiver(store, limits)
    senders = [Sender([ONE], pause_seconds=0.05), Sender([ONE], pause_seconds=0.05)]
    written = asyncio.Event()

    async def slow_write(spans: Sequence[Span]) -> None:
        await asyncio.sleep(0.05)
        await store.write(spans)
        written.set()

    application = Receiver(authorize, prepare, slow_write, limits)

    async def both() -> None:
        await asyncio.gather(*(application(scope(), s.receive, s.send) for s in senders))
        assert written.is_set()
        third = Sender([ONE])
        await application(scope(), third.receive, third.send)
        assert third.response.status == 200  # what was held is free again

    asyncio.run(both())
    assert sorted(sender.response.status for sender in senders) == [200, 503]


def test_large_bodies_are_read_beside_the_loop(store: Store) -> None:
    limits = Limits()
    spans = [protobuf_span(name="n" * 1_000) for _ in range(200)]
    body = protobuf_request(*spans).SerializeToString()
    sender = Sender([body])
    asyncio.run(receiver(store, limits)(scope(), sender.receive, sender.send))
    assert sender.response.status == 200
    assert len(store.spans) == 200


def test_unavailable_keys_are_no_wrong_keys(store: Store) -> None:
    async def unknowable(raw: str) -> GoodKey | None:
        raise StoreUnavailable("The database is down.")

    sender = Sender([ONE])
    application = Receiver(unknowable, prepare, store.write, LIMITS)
    asyncio.run(application(scope(), sender.receive, sender.send))
    assert sender.response.status == 503


def test_what_a_request_brought_is_known_with_its_sizes(store: Store) -> None:
    seen: list[Arrived] = []

    def look(arrived: Arrived, key: GoodKey) -> Sequence[Span]:
        seen.append(arrived)
        return arrived.spans

    body = gzip.compress(ONE)
    sender = Sender([body])
    application = Receiver(authorize, look, store.write, LIMITS)
    asyncio.run(application(scope(content_encoding="gzip"), sender.receive, sender.send))
    [arrived] = seen
    assert (arrived.compressed_bytes, arrived.body_bytes) == (len(body), len(ONE))
    assert (arrived.encoding, arrived.content_encoding) == ("protobuf", "gzip")
    assert {span.received_ns for span in arrived.spans} == {arrived.received_ns}


def test_refusals_are_told_with_the_key_that_sent_them(store: Store) -> None:
    told: list[tuple[UUID | None, int, int]] = []

    def refused(key: GoodKey | None, refusal: Refused, size: int) -> None:
        told.append((key.project_id if key else None, refusal.status, size))

    application = Receiver(authorize, prepare, store.write, LIMITS, refused=refused)
    for body, headers in (
        (b"nonsense", {}),
        (ONE, {"content_type": "text/plain"}),
        (ONE, {"authorization": "Bearer wrong"}),
        (ONE, {}),
    ):
        sender = Sender([body])
        asyncio.run(application(scope(**headers), sender.receive, sender.send))
    assert told == [(PROJECT, 400, 8), (PROJECT, 415, 0), (None, 401, 0)]


def test_whoever_has_a_good_key_hears_of_every_refusal(store: Store) -> None:
    told: list[tuple[UUID | None, int, str]] = []

    def refused(key: GoodKey | None, refusal: Refused, size: int) -> None:
        told.append((key.project_id if key else None, refusal.status, refusal.message))

    def ask(trouble: Exception | None = None, **request: str) -> int:
        sender = Sender([ONE])
        store.trouble = trouble
        application = Receiver(authorize, prepare, store.write, LIMITS, refused=refused)
        asyncio.run(application(scope(**request), sender.receive, sender.send))
        return sender.response.status

    assert ask(path="/traces") == 404
    assert ask(path="/traces", authorization="Bearer wrong") == 404
    assert ask(path="/traces", authorization="") == 404
    assert ask(method="PUT") == 405
    assert ask(StoreUnavailable("Away.")) == 503
    assert ask(ZeroDivisionError("secret")) == 503
    assert [(project, status) for project, status, _ in told] == [
        (PROJECT, 404),
        (PROJECT, 405),
        (PROJECT, 503),
        (PROJECT, 503),
    ]
    assert told[2][2] == "Not stored: Away. Send it again in 5 s."
    assert told[3][2] == "The request failed here; the log of the receiver says why."


def test_a_refusal_whose_key_cannot_be_looked_up_is_answered_all_the_same(store: Store) -> None:
    async def unknowable(raw: str) -> GoodKey | None:
        raise StoreUnavailable("The database is down.")

    sender = Sender([ONE])
    application = Receiver(unknowable, prepare, store.write, LIMITS)
    asyncio.run(application(scope("/nowhere"), sender.receive, sender.send))
    assert sender.response.status == 404


def test_starting_and_stopping_is_acknowledged(store: Store) -> None:
    asked: Iterator[Message] = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    said: list[Any] = []

    async def receive() -> Message:
        return next(asked)

    async def send(message: Message) -> None:
        said.append(message["type"])

    run: Awaitable[None] = receiver(store)({"type": "lifespan"}, receive, send)
    asyncio.run(_awaited(run))
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def _awaited(run: Awaitable[None]) -> None:
    await run


def test_log_records_are_answered_in_their_own_response() -> None:
    stored: list[Log] = []

    async def write(logs: Sequence[Log]) -> None:
        stored.extend(logs)

    def prepare(arrived: Arrived, key: GoodKey) -> Sequence[Log]:
        assert not arrived.spans
        return arrived.logs

    def post(body: bytes, content_type: str, **headers: str) -> Response:
        sender = Sender([body[:9], body[9:]])
        taken = Receiver(authorize, prepare, write, LIMITS, now_ns=lambda: 9)
        request = scope("/v1/logs", content_type=content_type, **headers)
        asyncio.run(taken(request, sender.receive, sender.send))
        return sender.response

    whole = protobuf_logs().SerializeToString()
    for body, encoding in (
        (whole, ""),
        (gzip.compress(whole), "gzip"),
        (zlib.compress(whole), "deflate"),
        (zstd.compress(whole), "zstd"),
    ):
        answer = post(body, "application/x-protobuf; v=1", content_encoding=encoding)
        assert answer.status == 200
        assert ExportLogsServiceResponse.FromString(answer.body) == ExportLogsServiceResponse()
    answer = post(json_logs(json_log(), json_log(body=7)), "application/json; charset=utf-8")
    partial = json.loads(answer.body)["partialSuccess"]
    assert partial["rejectedLogRecords"] == "1"
    assert "log record 'refund.asked'" in partial["errorMessage"]
    assert len({log.log_id for log in stored}) == 1
    assert len(stored) == 5
    answer = post(json_request(json_span()), "application/json")
    assert answer.status == 400
    assert message_of(answer) == "Malformed: this is a trace request; post it to /v1/traces."
    assert post(whole, "application/x-protobuf", authorization="Bearer bad").status == 401
