"""Rows for an engine on this machine, as a file in memory that the engine opens itself.

Through the connection the same rows are copied five times, by Python and under its lock, and
receiving them is a fifth of the engine's work. A file of this process is `/proc/PID/fd/N` to every
process of the same user.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.insert import InsertContext
from clickhouse_connect.driver.transform import NativeTransform
from django.conf import settings

log = logging.getLogger(__name__)

_WORTH_ROWS = 50
"""Fewer are sent with the statement: opening a file costs the engine as much as they do."""
_BLOCK_ROWS = 2_048
"""The engine copies smaller blocks together before it writes them."""
_MAX_BYTES = 256 * 1024**2
_CANNOT_OPEN = {74, 76, 79, 107, 291, 481}
"""ClickHouse's codes for a file that is not there or not for this user."""

_is_refused = False


class NotHandedOver(Exception):
    """The engine has none of the rows: they go with the statement."""


def is_possible(rows: int) -> bool:
    """Whether the engine is on this machine, the system has memory files, and it is worth it."""
    return (
        rows >= _WORTH_ROWS
        and not _is_refused
        and not settings.CLICKHOUSE_URL
        and hasattr(os, "memfd_create")
    )


def insert(
    to: Client,
    table: str,
    columns: Sequence[Sequence[Any]],
    names: Sequence[str],
    types: Sequence[str],
    limits: Mapping[str, Any],
) -> int:
    """Rows that the engine wrote, those of views too.

    Raises NotHandedOver for more than a file may hold and where files cannot be opened (then not
    tried again); else what the driver raises. `limits` are settings of the statement.
    """
    global _is_refused
    listed = ", ".join(f"`{name}`" for name in names)
    context = to.create_insert_context(
        table, names, column_type_names=types, column_oriented=True, data=columns
    )
    context.block_row_count = max(context.block_row_count, _BLOCK_ROWS)
    descriptor = _file(context)
    try:
        path = f"/proc/{os.getpid()}/fd/{descriptor}"
        summary = to.command(
            f"INSERT INTO {table} ({listed}) SELECT * FROM file('{path}', 'Native')",
            settings=dict(limits),
        )
    except DatabaseError as error:
        if error.code not in _CANNOT_OPEN:
            raise
        _is_refused = True
        log.warning("store.files_refused reason=%s", error)
        raise NotHandedOver from error
    finally:
        os.close(descriptor)
    return int(summary.written_rows)


def _file(rows: InsertContext) -> int:
    """The descriptor of a file that holds them in ClickHouse's Native format."""
    descriptor = -1
    try:
        descriptor = os.memfd_create("rows")
        _write(descriptor, rows)
    except BaseException as error:
        if descriptor >= 0:
            os.close(descriptor)
        if isinstance(error, OSError):  # no memory, no descriptors
            raise NotHandedOver from error
        raise
    return descriptor


def _write(descriptor: int, rows: InsertContext) -> None:
    failures: list[Exception] = []
    left = _MAX_BYTES
    for number, chunk in enumerate(NativeTransform.build_insert(rows, failures.append)):
        if failures:
            raise failures[0]
        view = memoryview(chunk)
        if number == 0:  # the driver's own statement stands before the rows
            view = view[chunk.index(b"\n") + 1 :]
        left -= len(view)
        if left < 0:
            raise NotHandedOver
        while view:
            view = view[os.write(descriptor, view) :]
