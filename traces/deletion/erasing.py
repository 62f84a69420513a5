"""Takes rows out of the trace store, table by table of the plan, and then out of its files.

Rows vanish from every answer at once (a mask, which costs little however often); `rewrite` then
makes new parts without them, once for a whole deletion.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from traces.deletion.plan import NAMES, PLAN, Table
from traces.deletion.wanted import Wanted
from traces.store import client, cluster, statements
from traces.store.errors import StoreUnavailable

_POLL_SECONDS = 0.05
PAGE = 5_000
_MOST_PARTITIONS = 10
"""Named one by one in statements of their own; of more than these, all."""
_OURS = "(command LIKE '%_row_exists%' OR command LIKE '%APPLY DELETED MASK%')"
_IDS = "trace_id IN arrayMap(x -> toFixedString(unhex(x), 16), {trace_ids:Array(String)})"
Condition = tuple[str, dict[str, Any]]


def count(wanted: Wanted) -> Counter[str]:
    """Rows by table. Raises StoreError."""
    found: Counter[str] = Counter()
    for table in PLAN:
        for where, parameters in _conditions(table, wanted):
            sql = f"SELECT count() AS rows FROM {table.name} WHERE {where}"
            found[table.name] += client.query(sql, parameters)[0]["rows"]
    return +found


def erase(wanted: Wanted, found: Mapping[str, int], tick: Callable[[], None]) -> None:
    """The rows of those tables are in no answer any more when this returns. Raises StoreError."""
    for table in PLAN:
        if not found.get(table.name):
            continue
        for where, parameters in _conditions(table, wanted):
            for partition in _partitions(table.name, where, parameters):
                for one in cluster.render(f"DELETE FROM {table.name} {partition}WHERE {where}"):
                    client.command(f"{one} SETTINGS lightweight_deletes_sync = 0", parameters)
        # The index says where the spans are: it goes when they are gone.
        _wait(table.name, tick)


def empty_samples(project_id: UUID, until: datetime) -> None:
    """Receipts keep their figures; what those until then quote of rejected spans goes.

    Raises StoreError.
    """
    parameters = {"project_id": str(project_id), "until": int(until.timestamp()) * 10**9}
    where = "project_id = {project_id:UUID} AND notEmpty(samples) AND received_ns <= {until:UInt64}"
    if client.query(f"SELECT count() AS rows FROM receipts WHERE {where}", parameters)[0]["rows"]:
        change = (
            "ALTER TABLE receipts UPDATE samples = [],"
            " reasons = map('(deleted)', arraySum(mapValues(reasons)))"
            f" WHERE {where}"
        )
        for one in cluster.render(change):
            client.command(f"{one} SETTINGS mutations_sync = 0", parameters)


def rewrite() -> None:
    """Begin to make new parts without the rows that are masked. Raises StoreError."""
    for name in NAMES:
        stored = cluster.stored_name(name)
        masked = client.query(
            "SELECT count() AS parts FROM system.parts WHERE database = currentDatabase()"
            " AND table = {table:String} AND active AND has_lightweight_delete",
            {"table": stored},
        )
        if cluster.is_cluster() or masked[0]["parts"]:
            for one in cluster.render(f"ALTER TABLE {name} APPLY DELETED MASK"):
                client.command(f"{one} SETTINGS mutations_sync = 0")


def is_rewritten() -> bool:
    """Nothing that changes our tables is under way. Raises StoreError."""
    return not any(_pending(name, f"{_OURS} OR command LIKE '%samples%'") for name in NAMES)


def replaced_parts(until: datetime) -> int:
    """Files of this server that were replaced until then and are still on its disk."""
    found = client.query(
        "SELECT count() AS parts FROM system.parts WHERE database = currentDatabase()"
        " AND table IN {tables:Array(String)} AND NOT active AND remove_time <= {until:DateTime}",
        {"tables": [cluster.stored_name(name) for name in NAMES], "until": until},
    )
    return int(found[0]["parts"])


def detached_parts() -> int:
    """Parts that the engine put aside as damaged: nothing can be deleted in them."""
    found = client.query(
        "SELECT count() AS parts FROM system.detached_parts WHERE database = currentDatabase()"
        " AND table IN {tables:Array(String)}",
        {"tables": [cluster.stored_name(name) for name in NAMES]},
    )
    return int(found[0]["parts"])


def sha256(text: str) -> str:
    """As the store compares it: statements are kept beside the parts, and must not name anybody."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def trace_ids_of(wanted: Wanted) -> Iterator[list[bytes]]:
    """Traces of which a span or log record names the session or user, some thousand at a time."""
    after = bytes(16)
    while True:
        found = client.query(
            statements.text("traces_of_person"),
            {
                "project_id": str(wanted.project_id),
                "session_id": wanted.session_id,
                "user_id": wanted.user_id,
                "after": after.hex(),
                "limit": PAGE,
            },
        )
        if not found:
            return
        yield [row["trace_id"] for row in found]
        after = found[-1]["trace_id"]


def _partitions(table: str, where: str, parameters: dict[str, Any]) -> list[str]:
    """Where the rows lie: the engine goes through every part of what a DELETE names."""
    sql = f"SELECT DISTINCT _partition_id AS id FROM {table} WHERE {where} ORDER BY id"
    found = [row["id"] for row in client.query(sql, parameters)]
    return (
        [f"IN PARTITION ID '{one}' " for one in found] if len(found) <= _MOST_PARTITIONS else [""]
    )


def _conditions(table: Table, wanted: Wanted) -> Iterator[Condition]:
    mine = {"project_id": str(wanted.project_id)}
    own = "project_id = {project_id:UUID}"
    if wanted.is_everything:
        yield own, mine
        return
    if table.by_trace and wanted.trace_ids:
        given = {**mine, "trace_ids": wanted.hex_ids}
        window = _window(wanted) if table.has_window else None
        if window:
            yield f"{own} AND bucket_time BETWEEN {window[0]} AND {window[1]} AND {_IDS}", given
        else:
            yield f"{own} AND {_IDS}", given
    if table.by_person:
        for name, value in (("session_id", wanted.session_id), ("user_id", wanted.user_id)):
            if value:
                digest = {**mine, "digest": sha256(value)}
                yield f"{own} AND lower(hex(SHA256({name}))) = {{digest:String}}", digest


def _window(wanted: Wanted) -> tuple[str, str] | None:
    found = client.query(
        "SELECT count() AS rows, toUnixTimestamp(min(first_bucket)) AS first,"
        f" toUnixTimestamp(max(last_bucket)) AS last FROM trace_index"
        f" WHERE project_id = {{project_id:UUID}} AND {_IDS}",
        {"project_id": str(wanted.project_id), "trace_ids": wanted.hex_ids},
    )[0]
    if not found["rows"]:
        return None
    return tuple(f"toDateTime({int(found[end])}, 'UTC')" for end in ("first", "last"))  # type: ignore[return-value]


def _wait(table: str, tick: Callable[[], None]) -> None:
    while _pending(table, "command LIKE '%_row_exists%'"):
        tick()
        time.sleep(_POLL_SECONDS)


def _pending(table: str, which: str) -> bool:
    found = client.query(
        "SELECT count() AS waiting, anyIf(latest_fail_reason, latest_fail_reason != '') AS said"
        f" FROM {cluster.on_all_servers('system.mutations')}"
        " WHERE database = currentDatabase() AND table = {table:String}"
        f" AND NOT is_done AND NOT is_killed AND ({which})",
        {"table": cluster.stored_name(table)},
    )[0]
    if found["said"]:
        raise StoreUnavailable(f"The trace store does not delete: {found['said'][:300]}")
    return bool(found["waiting"])
