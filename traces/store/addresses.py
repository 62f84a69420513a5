"""Where the engine answers: the addresses of CLICKHOUSE_URL, else the embedded engine's own."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings

from traces.store.errors import StoreUnavailable

_AVOID_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int
    username: str
    password: str
    database: str
    is_secure: bool


def engine_file() -> Path:
    """Where a running embedded engine says how to reach it: JSON {url, token}."""
    return Path(settings.DATA_DIR) / "run" / "engine.json"


def all_() -> tuple[Address, ...]:
    """The addresses as configured. Raises StoreUnavailable when no embedded engine runs."""
    if settings.CLICKHOUSE_URL:
        urls = (url.strip() for url in settings.CLICKHOUSE_URL.split(","))
        return tuple(_parse(url) for url in urls if url)
    try:
        running = json.loads(engine_file().read_text())
    except (OSError, ValueError) as error:
        raise StoreUnavailable(
            "The trace store is not running. Start TraceRoot with `make run` or set CLICKHOUSE_URL."
        ) from error
    parsed = _parse(running["url"])
    return (Address(parsed.host, parsed.port, "default", running["token"], "default", False),)


_avoided: dict[Address, float] = {}


def avoid(address: Address) -> None:
    """It failed: for a while it is tried last."""
    _avoided[address] = time.monotonic() + _AVOID_SECONDS


def in_order() -> list[Address]:
    """All of them, those that failed a moment ago last. Raises as `all_`."""
    now = time.monotonic()
    return sorted(all_(), key=lambda address: _avoided.get(address, 0.0) > now)


def forget() -> None:
    """Nothing has failed."""
    _avoided.clear()


def _parse(url: str) -> Address:
    parts = urlsplit(url)
    secure = parts.scheme in {"https", "clickhouses"}
    return Address(
        host=parts.hostname or "localhost",
        port=parts.port or (8443 if secure else 8123),
        username=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        database=parts.path.strip("/") or "default",
        is_secure=secure,
    )
