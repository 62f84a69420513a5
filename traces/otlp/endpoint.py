"""The receiver put together for this installation: our keys, our store, our limits."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING

from accounts import api_keys
from accounts.api_keys import VerifiedKey
from traces.admission import book as admission
from traces.admission.rates import OverLimit
from traces.ingest import arrivals
from traces.ingest.arrivals import Arrival
from traces.ingest.door import Door
from traces.ingest.receipts import Clock
from traces.ingest.refusals import Refusals
from traces.otlp import memory, signals
from traces.otlp.answers import Refused
from traces.otlp.arrived import Arrived
from traces.otlp.receiver import (
    ASGIApplication,
    Receive,
    Receiver,
    Scope,
    Send,
    limits_from_settings,
)
from traces.store.errors import StoreUnavailable

if TYPE_CHECKING:
    from traces.otlp.grpc_receiver import GrpcReceiver


_telling: set[asyncio.Task[None]] = set()


@cache
def door() -> Door:
    """This process's way into the store; it belongs to the event loop of its first use."""
    return Door()


@cache
def refusals() -> Refusals:
    return Refusals()


async def _authorize(raw_key: str) -> VerifiedKey | None:
    try:
        key = await api_keys.averify(raw_key)
    except api_keys.KeysUnavailable as error:
        raise StoreUnavailable(str(error)) from error
    if key is None or key.may("ingest"):
        return key
    refusals().note(key.project_id, key.key_id, 401, "This API key may not send traces.", 0)
    return None


def _prepare(arrived: Arrived, key: VerifiedKey) -> Arrival:
    return arrivals.of(
        arrived,
        key_id=key.key_id,
        project_id=key.project_id,
        retention_days=key.retention_days,
    )


async def _write(arrival: Arrival) -> None:
    await door().write(arrival)


def _refused(key: VerifiedKey | None, refusal: Refused, size: int) -> None:
    refusals().note(
        key.project_id if key else None,
        key.key_id if key else None,
        refusal.status,
        refusal.message,
        size,
    )


def _admit(key: VerifiedKey, spans: int, size: int) -> None:
    try:
        admission.take(key.project_id, spans, size)
    except OverLimit as limit:
        raise Refused(429, str(limit), retry_after=str(limit.seconds)) from limit


@cache
def receiver() -> Receiver[VerifiedKey, Arrival]:
    memory.restrain()
    return Receiver(
        _authorize,
        _prepare,
        _write,
        limits_from_settings(),
        refused=_refused,
        admit=_admit,
        now_ns=Clock(),
    )


def grpc_receiver() -> GrpcReceiver:
    """For this process's event loop. Half of what may wait is room for messages that arrive."""
    from traces.otlp.grpc_receiver import GrpcReceiver  # a process that does not serve it spares it

    limits = limits_from_settings()
    return GrpcReceiver(
        receiver(),
        message_bytes=limits.compressed_bytes,
        messages=max(1, limits.waiting_bytes // 2 // limits.compressed_bytes),
        message_seconds=limits.body_seconds,
    )


def tell(raw_key: str, refusal: Refused, size: int) -> None:
    """Of a request that this process refused before the receiver had it; from the event loop."""
    task = asyncio.get_running_loop().create_task(receiver().tell(raw_key, refusal, size))
    _telling.add(task)
    task.add_done_callback(_telling.discard)


def before(application: ASGIApplication) -> ASGIApplication:
    """`application`, with OTLP requests taken out of its hands."""

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_otlp(scope):
            await receiver()(scope, receive, send)
        else:
            await application(scope, receive, send)

    return route


def _is_otlp(scope: Scope) -> bool:
    """The published path also lists traces (GET), which is the public API's."""
    path: str = scope["path"]
    if signals.of_path(path) is None:
        return False
    return path.startswith("/v1/") or bool(scope["method"] == "POST")
