"""A store of several servers: statements rendered for it, and the settings reads and writes need.

CLICKHOUSE_CLUSTER names the cluster: every statement runs ON CLUSTER and every table is replicated.
With CLICKHOUSE_SHARDED each table is two: `NAME_shard`, which holds a server's rows, and `NAME`,
which spreads and gathers them. All rows of a trace are on one shard, so that what a view derives
from spans stays beside them.
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings

_CREATE_TABLE = re.compile(r"^CREATE TABLE IF NOT EXISTS (\w+)", re.IGNORECASE)
_CREATE_VIEW = re.compile(
    r"^CREATE MATERIALIZED VIEW IF NOT EXISTS (\w+) TO (\w+) AS(.*)", re.IGNORECASE | re.DOTALL
)
_ALTER = re.compile(r"^ALTER TABLE (\w+)\s+(.*)", re.IGNORECASE | re.DOTALL)
_MODIFY_VIEW = re.compile(r"^ALTER TABLE (\w+)\s+MODIFY QUERY\b(.*)", re.IGNORECASE | re.DOTALL)
_DROP = re.compile(r"^DROP (TABLE|VIEW)( IF EXISTS)? (\w+)", re.IGNORECASE)
_DELETE = re.compile(
    r"^DELETE FROM (\w+)\s+((?:IN PARTITION ID '\w+'\s+)?WHERE\s.*)", re.IGNORECASE | re.DOTALL
)
_FROM = re.compile(r"\bFROM (\w+)\b", re.IGNORECASE)
_ENGINE = re.compile(r"\bENGINE = (\w*MergeTree)\b(?:\(([^()]*)\))?")
_COLUMNS_ONLY = re.compile(r"^(?:ADD|DROP|MODIFY|RENAME|COMMENT) COLUMN\b", re.IGNORECASE)
_NOT_SHARDED = {"schema_migrations"}
_SHARDED_BY = {
    "receipts": "cityHash64(project_id, received_ns)",
    "ingested": "rand()",  # written by its view alone, where the spans are
    # Many have no trace; one that is sent again must meet itself.
    "logs": "cityHash64(log_id)",
    "agent_usage": "cityHash64(series_id)",
}
_BY_TRACE = "cityHash64(trace_id)"


def render(statement: str) -> list[str]:
    """The statements that this installation runs for one of ours, in order."""
    statement = statement.strip()
    if not settings.CLICKHOUSE_CLUSTER:
        return [statement]
    for rule in (_table, _view, _view_change, _change, _delete, _drop):
        if rendered := rule(statement):
            return rendered
    raise ValueError(f"No rule says how to run this on a cluster: {statement[:100]}")


def stored_name(table: str) -> str:
    """The table that holds the rows of `table` on a server."""
    return f"{table}_shard" if _is_sharded(table) else table


def is_cluster() -> bool:
    return bool(settings.CLICKHOUSE_CLUSTER)


def on_all_servers(table: str) -> str:
    """A table of the engine about itself, of every server."""
    return (
        f"clusterAllReplicas('{settings.CLICKHOUSE_CLUSTER}', {table})" if is_cluster() else table
    )


def read_settings() -> dict[str, Any]:
    # A table inside a condition or a join is gathered from all shards too.
    return {"distributed_product_mode": "global"} if settings.CLICKHOUSE_SHARDED else {}


def insert_settings() -> dict[str, Any]:
    # Answered when the shards have the rows, not when one server has queued them.
    return {"distributed_foreground_insert": 1} if settings.CLICKHOUSE_SHARDED else {}


def _is_sharded(table: str) -> bool:
    is_split = bool(settings.CLICKHOUSE_CLUSTER and settings.CLICKHOUSE_SHARDED)
    return is_split and table not in _NOT_SHARDED


def _on() -> str:
    return f"ON CLUSTER '{settings.CLICKHOUSE_CLUSTER}'"


def _table(statement: str) -> list[str]:
    found = _CREATE_TABLE.match(statement)
    if not found:
        return []
    table = found[1]
    head = f"CREATE TABLE IF NOT EXISTS {stored_name(table)} {_on()}"
    held = head + _replicated(table, statement[found.end() :])
    if not _is_sharded(table):
        return [held]
    key = _SHARDED_BY.get(table, _BY_TRACE)
    where = f"'{settings.CLICKHOUSE_CLUSTER}', currentDatabase(), {stored_name(table)}, {key}"
    return [
        held,
        f"CREATE TABLE IF NOT EXISTS {table} {_on()} AS {stored_name(table)}"
        f" ENGINE = Distributed({where})",
    ]


def _replicated(table: str, statement: str) -> str:
    def engine(found: re.Match[str]) -> str:
        own = found[2] or ""
        if table in _NOT_SHARDED:
            # One table of all servers, whatever their shard.
            place = "'/clickhouse/tables/{database}/{table}', '{shard}-{replica}'"
            own = ", ".join(part for part in (place, own) if part)
        return f"ENGINE = Replicated{found[1]}({own})" if own else f"ENGINE = Replicated{found[1]}"

    return _ENGINE.sub(engine, statement)


def _view(statement: str) -> list[str]:
    found = _CREATE_VIEW.match(statement)
    if not found:
        return []
    head = f"CREATE MATERIALIZED VIEW IF NOT EXISTS {found[1]} {_on()}"
    return [f"{head} TO {stored_name(found[2])} AS{_of_stored(found[3])}"]


def _view_change(statement: str) -> list[str]:
    found = _MODIFY_VIEW.match(statement)
    return [f"ALTER TABLE {found[1]} {_on()} MODIFY QUERY{_of_stored(found[2])}"] if found else []


def _of_stored(select: str) -> str:
    return _FROM.sub(lambda source: f"FROM {stored_name(source[1])}", select)


def _change(statement: str) -> list[str]:
    found = _ALTER.match(statement)
    if not found:
        return []
    table, change = found[1], found[2]
    names = [stored_name(table)]
    if _is_sharded(table) and _COLUMNS_ONLY.match(change):
        # A table that only spreads has columns, but no indexes, settings or rows of its own.
        names.append(table)
    return [f"ALTER TABLE {name} {_on()} {change}" for name in names]


def _delete(statement: str) -> list[str]:
    found = _DELETE.match(statement)
    return [f"DELETE FROM {stored_name(found[1])} {_on()} {found[2]}"] if found else []


def _drop(statement: str) -> list[str]:
    found = _DROP.match(statement)
    if not found:
        return []
    kind, table = found[1].upper(), found[3]
    is_split = kind == "TABLE" and _is_sharded(table)
    names = [table, stored_name(table)] if is_split else [table]
    return [f"DROP {kind}{found[2] or ''} {name} {_on()}" for name in names]
