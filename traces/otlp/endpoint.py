"""The receiver put together for this installation: our keys, our store, our limits."""

from __future__ import annotations

from functools import cache

from accounts import api_keys
from accounts.api_keys import VerifiedKey
from traces.ingest import arrivals
from traces.ingest.arrivals import Arrival
from traces.ingest.door import Door
from traces.ingest.receipts import Clock
from traces.ingest.refusals import Refusals
from traces.otlp import memory
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

PATHS = frozenset({"/v1/traces", "/v1/traces/", "/api/v1/public/traces", "/api/v1/public/traces/"})


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
    return key if key is not None and key.may("ingest") else None


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


@cache
def receiver() -> Receiver[VerifiedKey, Arrival]:
    memory.restrain()
    return Receiver(
        _authorize, _prepare, _write, limits_from_settings(), refused=_refused, now_ns=Clock()
    )


def before(application: ASGIApplication) -> ASGIApplication:
    """`application`, with OTLP requests taken out of its hands."""

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in PATHS and _is_otlp(scope):
            await receiver()(scope, receive, send)
        else:
            await application(scope, receive, send)

    return route


def _is_otlp(scope: Scope) -> bool:
    """The published path also lists traces (GET), which is the public API's."""
    is_receivers_own: bool = scope["path"].startswith("/v1/")
    return is_receivers_own or scope["method"] == "POST"
