"""What all reads of one project share: its predicate, its limits, its page links."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from traces.store import client

# What one read may take of the engine. Over it: QueryTooLarge, which says what to do.
LIMITS: Mapping[str, Any] = {
    "max_memory_usage": 1024**3,
    "max_rows_to_group_by": 5_000_000,
    "group_by_overflow_mode": "throw",
    # A row's versions are in one partition: its key holds the hour that decides the partition.
    "do_not_merge_across_partitions_select_final": 1,
}
_MAX_CURSOR = 8_000
Kind = Literal["number", "text", "trace", "span"]


class BadCursor(ValueError):
    """A paging cursor that this server did not make."""


class ProjectReads:
    """Reads one project's rows. Every read of ours goes through `_query`, which names the project.

    Raises StoreUnavailable when the engine cannot be reached and QueryTooLarge when the answer
    would need more time, memory or rows than one read may use.
    """

    def __init__(self, project_id: UUID) -> None:
        self.project_id = project_id

    def _query(
        self,
        sql: str,
        parameters: Mapping[str, Any],
        limits: Mapping[str, Any] | None = None,
        seconds: float | None = None,
    ) -> list[dict[str, Any]]:
        bound = {**parameters, "project_id": str(self.project_id)}
        return client.query(sql, bound, settings_=limits, seconds=seconds)


def to_cursor(values: Sequence[int | str | bytes]) -> str:
    """A page link that holds these values, readable by who has it."""
    plain = [value.hex() if isinstance(value, bytes) else value for value in values]
    text = json.dumps(plain, ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def from_cursor(cursor: str, *kinds: Kind) -> list[Any]:
    """The values that `to_cursor` took, of these kinds. Raises BadCursor for anything else."""
    try:
        if len(cursor) <= _MAX_CURSOR:
            padded = cursor + "=" * (-len(cursor) % 4)
            values = json.loads(base64.urlsafe_b64decode(padded))
            return [_READERS[kind](value) for kind, value in zip(kinds, values, strict=True)]
    except (ValueError, TypeError, RecursionError):
        pass  # falls through to the one sentence for every kind of bad cursor
    raise BadCursor("This page link is not valid any more. Start again from the newest.")


def _number(value: Any) -> int:
    if type(value) is int and 0 <= value < 2**64:
        return value
    raise ValueError(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        value.encode()  # half of a surrogate pair has no bytes to ask with
        return value
    raise ValueError(value)


def _id(value: Any, length: int) -> bytes:
    found = bytes.fromhex(value)
    if len(found) == length:
        return found
    raise ValueError(value)


_READERS: Mapping[Kind, Callable[[Any], Any]] = {
    "number": _number,
    "text": _text,
    "trace": lambda value: _id(value, 16),
    "span": lambda value: _id(value, 8),
}
