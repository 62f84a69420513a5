"""Every run's outcome as a row of the store, with the probability that it was judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from detectors.models import DetectorRun
from detectors.verdicts import Verdict
from traces.store import client

_COLUMNS = (
    ("project_id", "UUID"),
    ("retention_days", "UInt16"),
    ("decided_at", "DateTime64(3, 'UTC')"),
    ("detector_id", "UUID"),
    ("detector_version", "UInt32"),
    ("trace_id", "FixedString(16)"),
    ("generation", "UInt32"),
    ("run_id", "UUID"),
    ("outcome", "LowCardinality(String)"),
    ("confidence", "Float32"),
    ("inclusion_probability", "Float64"),
    ("summary", "String"),
    ("cost_usd", "Nullable(Decimal(18, 9))"),
    ("input_tokens", "UInt64"),
    ("output_tokens", "UInt64"),
    ("version", "UInt64"),
)


def write(decided: Sequence[tuple[DetectorRun, Verdict]], now: dt.datetime) -> None:
    """One INSERT for all. Written again, a row replaces itself. Raises StoreUnavailable."""
    rows = [_row(run, verdict, now) for run, verdict in decided]
    if rows:
        client.insert(
            "verdicts",
            [list(column) for column in zip(*rows, strict=True)],
            [name for name, _ in _COLUMNS],
            [type_ for _, type_ in _COLUMNS],
        )


def _row(run: DetectorRun, verdict: Verdict, now: dt.datetime) -> tuple[object, ...]:
    return (
        run.project_id,
        run.project.retention_days,
        now,
        run.detector_id,
        run.detector_version,
        bytes.fromhex(run.trace_id),
        run.generation,
        run.id,
        verdict.outcome,
        verdict.confidence,
        run.inclusion_probability,
        verdict.summary,
        verdict.spent.cost_usd,
        verdict.spent.input_tokens,
        verdict.spent.output_tokens,
        int(now.timestamp() * 1e9),
    )
