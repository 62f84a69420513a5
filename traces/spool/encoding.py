"""A batch and its receipt as bytes, for the spool and the quarantine: msgpack, lz4.

Every batch says its own column names and types, so that one made before an upgrade can be read and
written after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from typing import Any
from uuid import UUID

import lz4.frame
import msgspec

from traces.ingest.arrivals import Arrival
from traces.ingest.receipts import Receipt
from traces.store.batches import Batch

_VERSION = 1
# What reading damaged bytes raises: a length that nobody has memory for, a figure that is none, …
_DAMAGE = (
    RuntimeError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, MemoryError,
    msgspec.MsgspecError,
)  # fmt: skip


class Unreadable(ValueError):
    """These bytes are no batch of ours, or are damaged."""


class Unwritable(ValueError):
    """A value has no form in msgpack: it should never have become a cell."""


def encode(arrival: Arrival) -> bytes:
    """Raises Unwritable."""
    batch = arrival.batch
    document = {
        "version": _VERSION,
        "project_id": batch.project_id,
        "received_ns": batch.received_ns,
        "retention_days": batch.retention_days,
        "table": batch.table,
        "names": batch.names,
        "types": batch.types,
        "columns": batch.columns,
        "receipt": asdict(arrival.receipt),
    }
    try:
        return bytes(lz4.frame.compress(msgspec.msgpack.encode(document)))
    except (TypeError, ValueError, OverflowError) as error:
        raise Unwritable(f"{type(error).__name__}: {error}") from error


def decode(content: bytes) -> Arrival:
    """Raises Unreadable."""
    try:
        document = msgspec.msgpack.decode(lz4.frame.decompress(content))
        types = tuple(document["types"])
        columns = [
            _restored(column, type_)
            for column, type_ in zip(document["columns"], types, strict=True)
        ]
        batch = Batch(
            project_id=UUID(document["project_id"]),
            received_ns=document["received_ns"],
            retention_days=document["retention_days"],
            names=tuple(document["names"]),
            types=types,
            columns=columns,
            table=document.get("table", "spans"),
        )
        return Arrival(batch, msgspec.convert(document["receipt"], Receipt))
    except _DAMAGE as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


# msgpack has neither; both travel as text.
_RESTORED: dict[str, Callable[[Any], Any]] = {
    "UUID": UUID,
    "Nullable(Decimal(18, 9))": _decimal,
}


def _restored(column: list[Any], type_: str) -> list[Any]:
    restore = _RESTORED.get(type_)
    return column if restore is None else [restore(value) for value in column]
