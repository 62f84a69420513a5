"""Taking a ClickHouse statement apart as far as HTTP needs it, and no further.

Where the data of an INSERT begins, whether there is more than one statement, and which format a
result was asked for in. Everything else is left to the engine's own parser.
"""

import re
from dataclasses import dataclass

from traces.store.engine.errors import BAD_ARGUMENTS, SYNTAX_ERROR, EngineError

_TOKEN = re.compile(
    rb"""(?P<blank> \s+ | --[^\n]* | /\*.*?\*/ )
    | (?P<quoted> '(?:[^'\\]|\\.)*' | `(?:[^`\\]|\\.)*` | "(?:[^"\\]|\\.)*" )
    | (?P<word> \w+ )
    | (?P<sign> . )""",
    re.VERBOSE | re.DOTALL,
)
_INSERT = re.compile(rb"(?:\s+|--[^\n]*\n|/\*.*?\*/)*INSERT\s", re.IGNORECASE | re.DOTALL)
_FORMAT_NAME = re.compile(rb"\s+(\w+)[ \t\f]*;?[ \t\f]*\r?\n?")
_RESULT_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*(?:\bSETTINGS\b[^()]*)?;?\s*$", re.IGNORECASE)
_KILL = re.compile(r"\s*KILL\s+QUERY\b", re.IGNORECASE)
_QUERY_ID = re.compile(r"\bquery_id\s*=\s*('(?:[^'\\]|\\.)*'|\{\w+\s*:\s*String\})", re.IGNORECASE)
# Words after which an INSERT takes its rows from somewhere other than the request's body.
_OTHER_SOURCES = frozenset({b"SELECT", b"WITH", b"VALUES", b"FROM", b"WATCH"})


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT whose rows are in the body: the statement without its FORMAT, and the data."""

    statement: bytes
    format_name: str
    data: bytes


def split_insert(sql: bytes) -> Insert | None:
    """Part ``INSERT ... FORMAT name <data>`` into statement and data; None for all else."""
    start = _INSERT.match(sql)
    if start is None:
        return None
    depth = 0
    for token in _TOKEN.finditer(sql, start.end()):
        text = token.group()
        if token.lastgroup == "sign":
            depth += (text == b"(") - (text == b")")
        elif token.lastgroup == "word" and depth == 0:
            if text.upper() in _OTHER_SOURCES:
                return None
            name = _FORMAT_NAME.match(sql, token.end()) if text.upper() == b"FORMAT" else None
            if name is not None:
                data = sql[name.end() :]
                return Insert(sql[: token.start()], name.group(1).decode(), data)
    return None


def refuse_several(sql: bytes) -> None:
    """Raise EngineError when there is a second statement: a ClickHouse server takes one."""
    if b";" not in sql.rstrip(b"; \t\r\n"):
        return
    ended = False
    for token in _TOKEN.finditer(sql):
        if token.group() == b";":
            ended = True
        elif ended and token.lastgroup != "blank":
            raise EngineError.refused(
                SYNTAX_ERROR, "Syntax error: multi-statements are not allowed; send one at a time"
            )


def decode(sql: bytes) -> str:
    """Return a statement as text. Raises EngineError when it is not UTF-8."""
    try:
        return sql.decode()
    except UnicodeDecodeError as error:
        raise EngineError.refused(
            BAD_ARGUMENTS, "The statement is not UTF-8; send binary values with INSERT ... FORMAT"
        ) from error


def result_format(sql: bytes) -> str | None:
    """Return the format that a statement names at its end."""
    found = _RESULT_FORMAT.search(sql[-4096:])
    return None if found is None else found.group(1).decode()


def kill_by_client_id(sql: str) -> str:
    """Let ``KILL QUERY WHERE query_id = ...`` find the id that the client gave its query.

    chDB makes its own query ids; the client's is kept in the query's ``log_comment``.
    """
    if _KILL.match(sql) is None:
        return sql
    return _QUERY_ID.sub(
        lambda found: f"(query_id = {found[1]} OR Settings['log_comment'] = {found[1]})", sql
    )
