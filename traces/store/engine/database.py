"""The chDB engine of one directory: open it, run statements in it, stop what runs, close it.

Every statement runs on a connection of its own (0.2 ms), so no setting and no chosen database can
leak from one request into the next. Rows of an INSERT go to the engine from memory (`rows_file`).
"""

import importlib
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from traces.store.engine import requests, rows_file, statements
from traces.store.engine.errors import NOT_ENOUGH_SPACE, EngineError

logger = logging.getLogger(__name__)

_MIB = 1024 * 1024
# What clickhouse-local would take for itself is sized for a server (5 GiB of marks, 4 GiB for the
# text index alone). chDB reads these once, from the first connection of a process.
_SERVER_SETTINGS = {
    "mark_cache_size": 128 * _MIB,
    "index_mark_cache_size": 32 * _MIB,
    "primary_index_cache_size": 64 * _MIB,
    "uncompressed_cache_size": 0,
    "index_uncompressed_cache_size": 0,
    "query_condition_cache_size": 16 * _MIB,
    "text_index_tokens_cache_size": 32 * _MIB,
    "text_index_header_cache_size": 32 * _MIB,
    "text_index_postings_cache_size": 64 * _MIB,
    "compiled_expression_cache_size": 16 * _MIB,
    "parquet_metadata_cache_size": _MIB,
    "iceberg_metadata_files_cache_size": _MIB,
    "background_pool_size": 2,
    "background_merges_mutations_concurrency_ratio": 1,
    "background_schedule_pool_size": 2,
    "background_move_pool_size": 1,
    "background_fetches_pool_size": 1,
    "background_common_pool_size": 2,
    # A merge or deletion of several parts would pause for up to a second after each.
    "background_processing_pool_task_sleep_seconds_when_no_work_random_part": 0,
    # An idle thread holds six descriptors of /proc open.
    "max_thread_pool_size": 500,
    "max_thread_pool_free_size": 16,
    "max_concurrent_queries": 100,
}
# Before the request's own settings. An INSERT is answered when its rows are in a part on disk, not
# when they are in a queue; the columns of a file of rows are read from it and not remembered from
# another of the same name.
_QUERY_SETTINGS = {"async_insert": "0", "schema_inference_use_cache_for_file": "0"}
_HAS_GLOB = frozenset("?*{}[]")


class CannotOpen(Exception):
    """The engine's directory cannot be opened; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gave. ``format_name`` is None when it has no result set at all."""

    body: bytes
    format_name: str | None
    read_rows: int
    read_bytes: int
    written_rows: int
    written_bytes: int
    result_rows: int
    elapsed_ns: int


class Database:
    """The open engine. One per process, because chDB hosts one directory per process."""

    def __init__(self, directory: Path, max_memory_bytes: int) -> None:
        if _HAS_GLOB.intersection(str(directory)):
            raise CannotOpen(
                f"The data directory {directory} has one of ? * {{ }} [ ] in its name, which the "
                "engine takes for a pattern. Choose another directory."
            )
        chdb = _import_chdb()
        self._connect = chdb.connect
        self._failures = (chdb.ChdbError, RuntimeError)
        self._path = str(directory)
        options = {**_SERVER_SETTINGS, "max_server_memory_usage": max_memory_bytes}
        address = f"{self._path}?{'&'.join(f'{name}={value}' for name, value in options.items())}"
        try:
            # Held open: the engine ends with its last connection.
            self._anchor = self._connect(address)
            self._anchor.query("SELECT 1", "TabSeparated")
        except self._failures as error:
            raise CannotOpen(f"The engine cannot open {directory}: {error}") from error
        chdb._chdb.reset_signal_handlers()

    def execute(self, request: requests.QueryRequest) -> Answer:
        """Run one request to its end. Raises EngineError with the engine's own code and text."""
        insert = statements.split_insert(request.sql)
        if insert is None:
            statements.refuse_several(request.sql)
        with self._connection(request) as connection:
            if insert is None:
                return self._run(connection, request)
            return self._insert(connection, request, insert)

    def kill_everything(self) -> None:
        """Tell all running statements to end, without waiting for it."""
        try:
            with self._fresh() as connection:
                connection.query("KILL QUERY WHERE query NOT LIKE 'KILL QUERY%' ASYNC", "Null")
        except self._failures as error:
            logger.warning("engine.kill_failed reason=%s", error)

    def close(self) -> None:
        """Let the engine go. Only when nothing runs any more."""
        self._anchor.close()

    @contextmanager
    def _fresh(self) -> Iterator[Any]:
        connection = self._connect(self._path)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _connection(self, request: requests.QueryRequest) -> Iterator[Any]:
        settings = {**_QUERY_SETTINGS, "log_comment": request.query_id, **request.settings}
        if request.is_read_only:
            settings["readonly"] = "2"
        assignments = ", ".join(f"{name} = {_quote(value)}" for name, value in settings.items())
        try:
            with self._fresh() as connection:
                if request.database not in (None, "default"):
                    connection.query(f"USE {_quote_name(str(request.database))}", "Null")
                connection.query(f"SET {assignments}", "Null")
                yield connection
        except self._failures as error:
            raise EngineError.from_chdb(error) from error

    def _run(self, connection: Any, request: requests.QueryRequest) -> Answer:
        sql = statements.kill_by_client_id(statements.decode(request.sql))
        named = statements.result_format(request.sql) or request.default_format
        # Without a format only the line of names tells an empty result from no result.
        used = named or "TabSeparatedWithNames"
        result = connection.query(sql, used, params=dict(request.parameters))
        body: bytes = result.bytes() or b""
        if named is None and body:
            named, body = "TabSeparated", body[body.index(b"\n") + 1 :]
        elif not body:
            named = None
        return Answer(
            body=body,
            format_name=named,
            read_rows=result.storage_rows_read(),
            read_bytes=result.storage_bytes_read(),
            written_rows=result.rows_written(),
            written_bytes=result.bytes_written(),
            result_rows=result.rows_read(),
            elapsed_ns=int(result.elapsed() * 1e9),
        )

    def _insert(
        self, connection: Any, request: requests.QueryRequest, insert: statements.Insert
    ) -> Answer:
        statement = statements.decode(insert.statement)
        if request.parameters:
            bound = (f"param_{name} = {_quote(v)}" for name, v in request.parameters.items())
            connection.query(f"SET {', '.join(bound)}", "Null")
        started = time.perf_counter_ns()
        if insert.data:
            rows, size = self._insert_rows(connection, statement, insert)
        else:  # nothing to write, but the statement may be wrong
            with connection.send_insert(statement, insert.format_name) as stream:
                rows, size = stream.finish().rows_written, 0
        return Answer(
            body=b"",
            format_name=None,
            read_rows=0,
            read_bytes=len(insert.data),
            written_rows=rows,
            written_bytes=size,
            result_rows=0,
            elapsed_ns=time.perf_counter_ns() - started,
        )

    def _insert_rows(
        self, connection: Any, statement: str, insert: statements.Insert
    ) -> tuple[int, int]:
        """Rows and bytes written, those of views too."""
        try:
            with rows_file.holding(insert.data, Path(self._path)) as path:
                source = f"file({_quote(path)}, {_quote(insert.format_name)})"
                result = connection.query(f"{statement} SELECT * FROM {source}", "Null")
        except OSError as error:
            raise EngineError.refused(NOT_ENOUGH_SPACE, f"No room for the rows: {error}") from error
        return result.rows_written(), result.bytes_written()


def _import_chdb() -> Any:
    # The server's time zone is taken from here when the library starts.
    os.environ["TZ"] = "UTC"
    time.tzset()
    # chDB imports these when it finds them, for results as data frames that nobody asks for here:
    # half a second and 40 MB.
    for name in ("numpy", "pandas", "pyarrow"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    return importlib.import_module("chdb")


def _quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _quote_name(value: str) -> str:
    return "`" + value.replace("\\", "\\\\").replace("`", "\\`") + "`"
