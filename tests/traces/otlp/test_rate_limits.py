"""A project over its limit: 429 with Retry-After over HTTP, RESOURCE_EXHAUSTED with RetryInfo over
gRPC, and nothing of the request stored.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from tests.traces.otlp.requests import json_request, json_span, protobuf_request, protobuf_span
from tests.traces.otlp.test_grpc import called, served
from tests.traces.otlp.test_receiver import (
    LIMITS,
    ONE,
    GoodKey,
    Sender,
    Store,
    authorize,
    prepare,
    scope,
)
from traces.admission.rates import Limit, OverLimit, Rates
from traces.otlp.answers import Refused
from traces.otlp.receiver import Receiver

NOON = 20_000 * 86_400 + 43_200.0
THREE = protobuf_request(*(protobuf_span(span_id=bytes([n] * 8)) for n in (1, 2, 3)))


def limited(store: Store, limit: Limit) -> Receiver[GoodKey, Any]:
    rates = Rates()

    def admit(key: GoodKey, spans: int, size: int) -> None:
        try:
            rates.take(key.project_id, limit, spans, size, NOON)
        except OverLimit as over:
            raise Refused(429, str(over), retry_after=str(over.seconds)) from over

    return Receiver(authorize, prepare, store.write, LIMITS, admit=admit, now_ns=lambda: 9_000)


async def post(receiver: Receiver[Any, Any], body: bytes, **headers: str) -> Sender:
    sender = Sender([body])
    await receiver(scope(**headers), sender.receive, sender.send)
    return sender


def test_over_http_it_is_429_with_the_time_to_wait() -> None:
    store = Store()

    async def run() -> list[Sender]:
        receiver = limited(store, Limit(bytes_per_day=100))
        body = THREE.SerializeToString()
        in_json = json_request(json_span())
        as_json = {"content_type": "application/json"}
        return [
            await post(receiver, body),
            await post(receiver, body),
            await post(receiver, in_json, **as_json),
        ]

    taken, refused, in_json = asyncio.run(run())
    assert taken.response.status == 200
    for sender in (refused, in_json):
        assert sender.response.status == 429
        assert sender.response.headers["retry-after"] == "43200"
        assert sender.asked == 0  # refused before its body was read
    assert "100 bytes a day" in Status.FromString(refused.response.body).message
    assert "100 bytes a day" in json.loads(in_json.response.body)["message"]
    assert len(store.spans) == 3


def test_requests_that_are_read_at_the_same_time_are_charged_one_by_one() -> None:
    store = Store()

    async def run() -> list[int]:
        receiver = limited(store, Limit(spans_per_second=1))
        body = THREE.SerializeToString()
        senders = [Sender([body], pause_seconds=0.01) for _ in range(6)]
        await asyncio.gather(*(receiver(scope(), s.receive, s.send) for s in senders))
        return [sender.response.status for sender in senders]

    statuses = asyncio.run(run())
    assert sorted(statuses) == [200] * 4 + [429] * 2  # ten spans may come, the fourth is in debt
    assert len(store.spans) == 12


def test_over_grpc_it_is_resource_exhausted_with_retry_info() -> None:
    store = Store()

    async def run() -> None:
        async with served(limited(store, Limit(bytes_per_day=1))) as port:
            await called(port, ONE)
            await called(port, ONE)

    with pytest.raises(grpc.aio.AioRpcError) as failed:
        asyncio.run(run())
    assert failed.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    trailing = dict(failed.value.trailing_metadata() or ())
    [detail] = Status.FromString(trailing["grpc-status-details-bin"]).details
    wait = RetryInfo()
    assert detail.Unpack(wait)
    assert wait.retry_delay.seconds == 43_200
    assert len(store.spans) == 1
