"""Golden rows: what the store holds of one span of each of four emitters.

The requests are in `tests/golden/otlp`, ours, as the emitters send them; the rows are read back
from the engine, in `tests/golden/rows`. Columns that hold nothing are left out.
"""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest

from tests import golden
from traces.otlp import decoder
from traces.semconv import normalize
from traces.store import client, writer
from traces.store.engine.process import EngineProcess

RECEIVED_NS = 1_767_323_055_000_000_000  # ten seconds after the spans
NOT_OURS = {"project_id", "stored_at"}  # of this run, and of the engine's clock


@pytest.mark.parametrize(
    "emitter", ["gen_ai_llm", "tool_exception", "openinference_agent", "traceroot_sdk"]
)
def test_a_span_is_stored_like_this(store: EngineProcess, emitter: str) -> None:
    decoded = decoder.decode((golden.DIRECTORY / "otlp" / f"{emitter}.json").read_bytes(), "json")
    assert decoded.rejected == []
    project_id = uuid.uuid4()
    spans = normalize.spans(decoded.spans, project_id=project_id, received_ns=RECEIVED_NS)
    writer.store(spans, [0] * len(spans))
    [row] = client.query("SELECT * FROM spans WHERE project_id = {id:UUID}", {"id": project_id})
    held = {
        name: _readable(value)
        for name, value in row.items()
        if name not in NOT_OURS and not _is_empty(value)
    }
    golden.check_json(f"rows/{emitter}.json", held)


def _is_empty(value: Any) -> bool:
    return not value or (isinstance(value, bytes) and not value.strip(b"\0"))


def _readable(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value
