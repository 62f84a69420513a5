"""The one way to the ClickHouse engine, server or embedded: HTTP by clickhouse-connect.

Only addresses differ between the two. This module knows connections and errors; it knows no table.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import clickhouse_connect
from clickhouse_connect.driver import options as driver_options
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, DataError
from clickhouse_connect.driver.httputil import get_pool_manager
from clickhouse_connect.driver.query import QueryResult
from django.conf import settings

from traces.store import addresses, cluster, handover, reasons
from traces.store.addresses import Address
from traces.store.addresses import engine_file as engine_file
from traces.store.errors import QueryTooLarge, StoreRejected, StoreUnavailable
from traces.store.handover import NotHandedOver

# https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
_NO_CAPACITY = {159, 160, 202, 203, 209, 210, 236, 241, 242, 243, 252, 319, 394, 425, 999}
_TOO_LARGE = {158, 159, 160, 241, 307, 396}
# An INSERT refused for these says nothing of its rows: no such table or column, no permission.
_NOT_OF_THE_ROWS = {10, 16, 47, 60, 62, 81, 164, 192, 193, 194, 291, 497, 516}
# What one answer may take of this process's memory; a server holds to it, the embedded engine to
# its own memory limit only.
_MAX_RESULT_BYTES = 512 * 1024**2
_INSERT_SETTINGS = {
    # Newer servers buffer inserts by default, and would answer before they store.
    "async_insert": 0,
    # Replicated tables would drop a block that they know, and then count no rows.
    "insert_deduplicate": 0,
    # A row that was sent twice is found by the reader or a merge; looking for it in every INSERT
    # copies all of it: a sixth of the work.
    "optimize_on_insert": 0,
}


# The driver imports numpy, pandas and pyarrow at its first insert if they are there (the embedded
# engine's package brings them): seconds and 60 MB a process for data frames that nobody uses here.
for _library in ("np", "pd", "pd_time_test", "arrow", "pl"):
    setattr(driver_options, _library, None)


_lock = threading.Lock()
_connected: dict[tuple[Address, float], Client] = {}
_Answer = TypeVar("_Answer")


def client(answer_seconds: float | None = None) -> Client:
    """The process's shared client of the first address that answers, for what has no function here.

    `answer_seconds` is how long it waits for an answer; by default a little longer than a query may
    take. Raises StoreUnavailable when no address can be reached.
    """
    return _at_one_of_them(answer_seconds, lambda connected: connected)


def _at_one_of_them(answer_seconds: float | None, ask: Callable[[Client], _Answer]) -> _Answer:
    """What the first address gives that is available. Raises as `ask` does.

    Asking twice is harmless: a read changes nothing, and rows that are written again replace
    themselves by their version.
    """
    failure = StoreUnavailable("CLICKHOUSE_URL names no address.")
    for target in addresses.in_order():
        try:
            return ask(_client_of(target, answer_seconds))
        except StoreUnavailable as error:
            addresses.avoid(target)
            failure = error
    raise failure


def _client_of(target: Address, answer_seconds: float | None) -> Client:
    """Made at first use, thread-safe because it holds no session."""
    seconds = answer_seconds or settings.CLICKHOUSE_QUERY_SECONDS + 10
    current = _connected.get((target, seconds))
    if current is None:
        with _lock:
            current = _connected.get((target, seconds))
            if current is None:
                current = _connect(target, seconds)
                _drop_old_ones()
                _connected[target, seconds] = current
    return current


def _drop_old_ones() -> None:
    """An embedded engine that started anew has another address."""
    known = set(addresses.all_())
    for key in [key for key in _connected if key[0] not in known]:
        _connected.pop(key).close()


def _connect(target: Address, answer_seconds: float) -> Client:
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
            send_receive_timeout=answer_seconds,
            query_limit=0,
            pool_mgr=get_pool_manager(maxsize=max(16, settings.CLICKHOUSE_POOL_SIZE), num_pools=2),
        )
    except (ClickHouseError, OSError) as error:
        raise _unreachable(error) from error


def forget() -> None:
    """Drop the shared clients; the next use connects anew."""
    with _lock:
        for connected in _connected.values():
            connected.close()
        _connected.clear()
    addresses.forget()


@dataclass(frozen=True, slots=True)
class Cost:
    """What the engine says a read took of it."""

    elapsed_ns: int
    read_rows: int
    read_bytes: int


_costs: ContextVar[list[Cost] | None] = ContextVar("costs", default=None)


@contextmanager
def costs() -> Iterator[list[Cost]]:
    """What each read of this context cost the engine, in their order."""
    found: list[Cost] = []
    token = _costs.set(found)
    try:
        yield found
    finally:
        _costs.reset(token)


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
    result = _read(sql, parameters, seconds, settings_)
    names = result.column_names
    return [dict(zip(names, row, strict=True)) for row in result.result_rows]


def columns(
    sql: str, parameters: Mapping[str, Any] | None = None, *, seconds: float | None = None
) -> list[Sequence[Any]]:
    """Columns of a SELECT in their order; for many rows, of which a mapping each would cost more
    than the engine's work. Without rows each is empty. Raises as `query` does."""
    result = _read(sql, parameters, seconds, None)
    found: list[Sequence[Any]] = result.result_columns
    return found or [[] for _ in result.column_names]


def _read(
    sql: str,
    parameters: Mapping[str, Any] | None,
    seconds: float | None,
    settings_: Mapping[str, Any] | None,
) -> QueryResult:
    limits = {
        "max_execution_time": seconds or settings.CLICKHOUSE_QUERY_SECONDS,
        "max_result_bytes": _MAX_RESULT_BYTES,
        **cluster.read_settings(),
        **(settings_ or {}),
    }
    result = _at_one_of_them(None, lambda to: _query(to, sql, dict(parameters or {}), limits))
    if (found := _costs.get()) is not None:
        said = result.summary
        found.append(Cost(*(int(said.get(name, 0)) for name in Cost.__slots__)))
    return result


def command(sql: str, parameters: Mapping[str, Any] | None = None) -> None:
    """A statement without rows (DDL, mutation). Raises as `query` does."""
    _at_one_of_them(None, lambda to: _command(to, sql, dict(parameters or {})))


def _query(to: Client, sql: str, parameters: dict[str, Any], limits: dict[str, Any]) -> QueryResult:
    try:
        return to.query(sql, parameters=parameters, settings=limits, tz_mode="aware")
    except DatabaseError as error:
        raise _typed(error, reading=True) from error
    except (ClickHouseError, OSError) as error:
        raise _unreachable(error) from error


def _command(to: Client, sql: str, parameters: dict[str, Any]) -> None:
    try:
        to.command(sql, parameters=parameters)
    except DatabaseError as error:
        raise _typed(error, reading=False) from error
    except (ClickHouseError, OSError) as error:
        raise _unreachable(error) from error


def insert(
    table: str, columns: Sequence[Sequence[Any]], names: Sequence[str], types: Sequence[str]
) -> int:
    """Write columns of equal length; returns how many rows the engine says it wrote.

    Raises StoreUnavailable (nothing can be said to be written: send again) or StoreRejected.
    An engine that does not answer within CLICKHOUSE_INSERT_SECONDS is unavailable.
    """
    return _at_one_of_them(
        settings.CLICKHOUSE_INSERT_SECONDS,
        lambda to: _insert(to, table, columns, names, types),
    )


def _insert(
    to: Client,
    table: str,
    columns: Sequence[Sequence[Any]],
    names: Sequence[str],
    types: Sequence[str],
) -> int:
    # The driver's context refers to itself and to what it is given, which would keep every row
    # until the garbage collector comes round: it gets a list of its own, emptied afterwards.
    block = list(columns)
    limits = {**_INSERT_SETTINGS, **cluster.insert_settings()}
    try:
        if handover.is_possible(len(block[0])):
            with suppress(NotHandedOver):
                return handover.insert(to, table, block, names, types, limits)
        summary = to.insert(
            table,
            block,
            column_names=names,
            column_type_names=types,
            column_oriented=True,
            settings=limits,
        )
    except DatabaseError as error:
        if _code(error) in _NOT_OF_THE_ROWS:
            raise StoreUnavailable(
                f"The trace store takes no rows: {reasons.brief(error)}"
            ) from error
        raise _typed(error, reading=False) from error
    except (ClickHouseError, OSError) as error:
        raise _unreachable(error) from error
    except (ValueError, TypeError, ArithmeticError) as error:  # the driver cannot encode a value
        raise StoreRejected(f"{table}: {reasons.brief(error)}") from error
    finally:
        block.clear()
    return int(summary.written_rows)


def is_reachable(*, seconds: float = 3.0) -> bool:
    """Whether one of the addresses answers."""
    try:
        return _at_one_of_them(
            settings.CLICKHOUSE_INSERT_SECONDS, lambda to: _ping(to, seconds=seconds)
        )
    except StoreUnavailable:
        return False


def _ping(to: Client, *, seconds: float) -> bool:
    if not to.ping(seconds):
        raise StoreUnavailable("The trace store does not answer.")
    return True


def _unreachable(error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"The trace store cannot be reached: {reasons.brief(error)}")


def _typed(error: DatabaseError, *, reading: bool) -> Exception:
    if isinstance(error, DataError):  # the driver's own: a value that does not fit its column
        return StoreRejected(reasons.brief(error))
    code = _code(error)
    if code == 0:
        return _unreachable(error)
    if reading and code in _TOO_LARGE:
        return QueryTooLarge(
            "This question is too large for one read. Choose a shorter time range or less content."
        )
    if code in _NO_CAPACITY:
        return StoreUnavailable(f"The trace store has no capacity: {reasons.brief(error)}")
    return StoreRejected(reasons.brief(error))


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
