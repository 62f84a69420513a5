"""The receiver put together for this installation: our keys, our store, our limits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from accounts import api_keys
from accounts.api_keys import VerifiedKey
from traces.otlp.receiver import (
    ASGIApplication,
    Receive,
    Receiver,
    Scope,
    Send,
    limits_from_settings,
)
from traces.spans import Span
from traces.store.errors import StoreUnavailable
from traces.store.writer import GroupCommitWriter

PATHS = frozenset({"/v1/traces", "/v1/traces/", "/api/v1/public/traces", "/api/v1/public/traces/"})


@cache
def writer() -> GroupCommitWriter:
    """This process's writer; it belongs to the event loop of its first use."""
    return GroupCommitWriter()


async def _authorize(raw_key: str) -> VerifiedKey | None:
    try:
        key = await api_keys.averify(raw_key)
    except api_keys.KeysUnavailable as error:
        raise StoreUnavailable(str(error)) from error
    return key if key is not None and key.may("ingest") else None


async def _write(spans: Sequence[Span], key: VerifiedKey) -> None:
    await writer().write(spans, retention_days=key.retention_days)


@cache
def receiver() -> Receiver[VerifiedKey]:
    return Receiver(_authorize, _write, limits_from_settings())


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
