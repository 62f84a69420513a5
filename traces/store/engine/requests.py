"""One HTTP request of a ClickHouse client, as what the engine is asked to do.

Names of URL parameters: https://clickhouse.com/docs/interfaces/http. Everything that is neither a
bound parameter nor part of the transport is a setting of the query.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from urllib.parse import parse_qsl

from traces.store.engine import multipart
from traces.store.engine.errors import BAD_ARGUMENTS, NOT_IMPLEMENTED, EngineError

# Parameters that are about the conversation and not about the query. Sessions are accepted and
# ignored: nothing is kept between two requests.
_TRANSPORT = frozenset(
    {
        "buffer_size",
        "client_protocol_version",
        "compress",
        "database",
        "decompress",
        "default_format",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "http_zlib_compression_level",
        "password",
        "query",
        "query_id",
        "quota_key",
        "role",
        "send_progress_in_http_headers",
        "session_check",
        "session_id",
        "session_timeout",
        "stacktrace",
        "user",
        "wait_end_of_query",
    }
)
_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_PARAMETER_PREFIX = "param_"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who a request says it is from; both empty when it says nothing."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A statement with everything that holds for it alone."""

    sql: bytes
    query_id: str
    database: str | None
    default_format: str | None
    parameters: Mapping[str, str]
    settings: Mapping[str, str]
    is_read_only: bool


def parse_arguments(query_string: str) -> dict[str, str]:
    """Return the URL's parameters, the last one of a name. Raises EngineError for bad UTF-8."""
    try:
        pairs = parse_qsl(query_string, keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise EngineError.refused(
            BAD_ARGUMENTS, f"The URL's parameters cannot be read: {error}"
        ) from error
    return dict(pairs)


def parse(method: str, arguments: Mapping[str, str], headers: Message, body: bytes) -> QueryRequest:
    """Put a request together.

    Raises EngineError for what this engine does not do and for parameters that make no sense.
    """
    found = dict(arguments)
    content_type = headers.get("Content-Type") or ""
    if multipart.is_form(content_type):
        found.update(multipart.parse(body, content_type))
        body = b""
    for name in ("compress", "decompress"):
        if found.get(name, "0") not in ("0", "false"):
            raise EngineError.refused(
                NOT_IMPLEMENTED,
                f"{name}=1 (ClickHouse's own block compression) is not supported over HTTP; "
                "use Content-Encoding",
            )
    query = found.get("query", "").encode()
    sql = query + b"\n" + body if query and body else query or body
    if not sql.strip():
        raise EngineError.refused(BAD_ARGUMENTS, "The request holds no query")
    return QueryRequest(
        sql=sql,
        query_id=found.get("query_id") or str(uuid.uuid4()),
        database=found.get("database") or headers.get("X-ClickHouse-Database") or None,
        default_format=found.get("default_format") or headers.get("X-ClickHouse-Format") or None,
        parameters={
            name.removeprefix(_PARAMETER_PREFIX): value
            for name, value in found.items()
            if name.startswith(_PARAMETER_PREFIX)
        },
        settings=_settings(found),
        is_read_only=method == "GET",
    )


def _settings(arguments: Mapping[str, str]) -> dict[str, str]:
    settings = {}
    for name, value in arguments.items():
        if name in _TRANSPORT or name.startswith(_PARAMETER_PREFIX):
            continue
        if _SETTING_NAME.fullmatch(name) is None:
            raise EngineError.refused(BAD_ARGUMENTS, f"{name!r} is no name of a setting")
        settings[name] = value
    return settings
