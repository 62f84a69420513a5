"""The one way to the ClickHouse engine, server or embedded: HTTP by clickhouse-connect.

Only addresses differ between the two. This module knows connections and errors; it knows no table.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver import options as driver_options
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, DataError
from clickhouse_connect.driver.httputil import get_pool_manager
from django.conf import settings

from traces.store.errors import QueryTooLarge, StoreRejected, StoreUnavailable

# https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
_NO_CAPACITY = {159, 160, 202, 203, 209, 210, 236, 241, 242, 243, 252, 319, 394, 425, 999}
_TOO_LARGE = {158, 159, 160, 241, 307, 396}
# What one answer may take of this process's memory; a server holds to it, the embedded engine to
# its own memory limit only.
_MAX_RESULT_BYTES = 512 * 1024**2


# The driver imports numpy, pandas and pyarrow at its first insert if they are there (the embedded
# engine's package brings them): seconds and 60 MB a process for data frames that nobody uses here.
for _library in ("np", "pd", "pd_time_test", "arrow", "pl"):
    setattr(driver_options, _library, None)


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


def address() -> Address:
    """Address from CLICKHOUSE_URL, else of the embedded engine that runs in the data directory."""
    if settings.CLICKHOUSE_URL:
        return _parse(settings.CLICKHOUSE_URL)
    try:
        running = json.loads(engine_file().read_text())
    except (OSError, ValueError) as error:
        raise StoreUnavailable(
            "The trace store is not running. Start TraceRoot with `make run` or set CLICKHOUSE_URL."
        ) from error
    parsed = _parse(running["url"])
    return Address(parsed.host, parsed.port, "default", running["token"], "default", False)


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


_lock = threading.Lock()
_connected: tuple[Address, Client] | None = None


def client() -> Client:
    """The process's shared client; made at first use, thread-safe because it holds no session.

    Raises StoreUnavailable when the engine cannot be reached.
    """
    global _connected
    target = address()
    current = _connected
    if current is not None and current[0] == target:
        return current[1]
    with _lock:
        if _connected is not None and _connected[0] == target:
            return _connected[1]
        _connected = (target, _connect(target))
        return _connected[1]


def _connect(target: Address) -> Client:
    try:
        return clickhouse_connect.get_client(
            host=target.host,
            port=target.port,
            username=target.username,
            password=target.password,
            database=target.database,
            interface="https" if target.is_secure else "http",
            # Loopback is faster without; a distant server is worth it.
            compress=target.is_secure,
            autogenerate_session_id=False,
            connect_timeout=3,
            send_receive_timeout=settings.CLICKHOUSE_QUERY_SECONDS + 10,
            query_limit=0,
            pool_mgr=get_pool_manager(maxsize=max(16, settings.CLICKHOUSE_POOL_SIZE), num_pools=2),
        )
    except (ClickHouseError, OSError) as error:
        raise StoreUnavailable(f"The trace store cannot be reached: {_brief(error)}") from error


def forget() -> None:
    """Drop the shared client; the next use connects anew."""
    global _connected
    with _lock:
        if _connected is not None:
            _connected[1].close()
        _connected = None


def query(
    sql: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    seconds: float | None = None,
    settings_: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Rows of a SELECT as dicts. Times come back aware, in UTC.

    Raises StoreUnavailable, QueryTooLarge or StoreRejected.
    """
    limits = {
        "max_execution_time": seconds or settings.CLICKHOUSE_QUERY_SECONDS,
        "max_result_bytes": _MAX_RESULT_BYTES,
        **(settings_ or {}),
    }
    try:
        result = client().query(
            sql, parameters=dict(parameters or {}), settings=limits, tz_mode="aware"
        )
    except DatabaseError as error:
        raise _typed(error, reading=True) from error
    except (ClickHouseError, OSError) as error:
        raise StoreUnavailable(f"The trace store cannot be reached: {_brief(error)}") from error
    names = result.column_names
    return [dict(zip(names, row, strict=True)) for row in result.result_rows]


def command(sql: str, parameters: Mapping[str, Any] | None = None) -> None:
    """A statement without rows (DDL, mutation). Raises as `query` does."""
    try:
        client().command(sql, parameters=dict(parameters or {}))
    except DatabaseError as error:
        raise _typed(error, reading=False) from error
    except (ClickHouseError, OSError) as error:
        raise StoreUnavailable(f"The trace store cannot be reached: {_brief(error)}") from error


def insert(
    table: str, columns: Sequence[Sequence[Any]], names: Sequence[str], types: Sequence[str]
) -> int:
    """Write columns of equal length; returns how many rows the engine says it wrote.

    Raises StoreUnavailable (nothing can be said to be written: send again) or StoreRejected.
    """
    try:
        summary = client().insert(
            table,
            columns,
            column_names=names,
            column_type_names=types,
            column_oriented=True,
            # Newer servers buffer inserts by default, and would answer before the rows are stored.
            settings={"async_insert": 0},
        )
    except DatabaseError as error:
        raise _typed(error, reading=False) from error
    except (ClickHouseError, OSError) as error:
        raise StoreUnavailable(f"The trace store cannot be reached: {_brief(error)}") from error
    except (ValueError, TypeError, ArithmeticError) as error:  # the driver cannot encode a value
        raise StoreRejected(f"{table}: {_brief(error)}") from error
    return int(summary.written_rows)


def is_reachable() -> bool:
    try:
        return bool(client().ping())
    except StoreUnavailable:
        return False


def _typed(error: DatabaseError, *, reading: bool) -> Exception:
    if isinstance(error, DataError):  # the driver's own: a value that does not fit its column
        return StoreRejected(_brief(error))
    code = _code(error)
    if code == 0:
        return StoreUnavailable(f"The trace store cannot be reached: {_brief(error)}")
    if reading and code in _TOO_LARGE:
        return QueryTooLarge(
            "This question is too large for one read. Choose a shorter time range or less content."
        )
    if code in _NO_CAPACITY:
        return StoreUnavailable(f"The trace store has no capacity: {_brief(error)}")
    return StoreRejected(_brief(error))


def _code(error: DatabaseError) -> int:
    code = getattr(error, "code", None)
    if isinstance(code, int):
        return code
    text = str(error)
    for mark in ("error code ", "Code: "):
        position = text.find(mark)
        if position >= 0:
            digits = "".join(c for c in text[position + len(mark) :][:6] if c.isdigit())
            if digits:
                return int(digits)
    return 0


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
