"""The rows of one request as columns: the unit that is written, spooled, drained and bisected.

Made once, beside the event loop; several batches become one INSERT by joining their columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any
from uuid import UUID

from traces.spans import Span
from traces.store.rows import to_columns

# Partitions are (retention, week), up to 28 weeks; the engine refuses an INSERT over 100 of them.
MAX_RETENTIONS = 3

Columns = list[list[Any]]


@dataclass(frozen=True)
class Batch:
    """Columns of equal length for one table. Names and types travel along: what was spooled before
    an upgrade is written with the columns it was made for.
    """

    project_id: UUID
    received_ns: int
    retention_days: int
    names: Sequence[str]
    types: Sequence[str]
    columns: Columns
    table: str = "spans"

    @property
    def rows(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    @cached_property
    def trace_count(self) -> int:
        return len(set(self.column("trace_id")))

    def column(self, name: str) -> list[Any]:
        return self.columns[self.names.index(name)] if self.columns else []

    def without_rows(self) -> Batch:
        return replace(self, names=(), types=(), columns=[])

    def part(self, start: int, stop: int) -> Batch:
        return replace(self, columns=[column[start:stop] for column in self.columns])


def of(
    spans: Sequence[Span], *, project_id: UUID, received_ns: int, retention_days: int = 0
) -> Batch:
    """The batch of one request; without spans it has no columns."""
    if not spans:
        return Batch(project_id, received_ns, retention_days, (), (), [])
    columns, names, types = to_columns(spans, [retention_days] * len(spans))
    return Batch(project_id, received_ns, retention_days, tuple(names), tuple(types), columns)


def joined(batches: Sequence[Batch]) -> Columns:
    """Columns of all rows, in order. The batches have the same names."""
    if len(batches) == 1:
        return batches[0].columns
    return [
        list(chain.from_iterable(columns))
        for columns in zip(*(batch.columns for batch in batches), strict=True)
    ]


def without_empty(
    columns: Columns, names: Sequence[str], types: Sequence[str]
) -> tuple[Columns, list[str], list[str]]:
    """Without the columns in which no row has a value: the engine fills in what they hold.

    Two in five columns of an INSERT, whose encoding and reading cost more than looking. The columns
    of `spans` have their type's own default, or none that an empty value could stand for.
    """
    kept = [
        index
        for index, column in enumerate(columns)
        if any(column) or (types[index].startswith("Nullable") and set(column) != {None})
    ]
    return (
        [columns[index] for index in kept],
        [names[index] for index in kept],
        [types[index] for index in kept],
    )


def portions(batches: Sequence[Batch], max_rows: int) -> Iterator[list[Batch]]:
    """What may share an INSERT: the same table and columns, few retention classes, at most
    `max_rows` rows (but always one batch).
    """
    portion: list[Batch] = []
    retentions: set[int] = set()
    rows = 0
    for batch in batches:
        joins = (
            rows + batch.rows <= max_rows
            and len(retentions | {batch.retention_days}) <= MAX_RETENTIONS
            and (
                not portion or (portion[0].table == batch.table and portion[0].names == batch.names)
            )
        )
        if portion and not joins:
            yield portion
            portion, retentions, rows = [], set(), 0
        portion.append(batch)
        retentions.add(batch.retention_days)
        rows += batch.rows
    if portion:
        yield portion
