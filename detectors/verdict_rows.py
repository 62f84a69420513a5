"""Every run's outcome as a row of the store, with the probability that it was judged."""

from __future__ import annotations

import datetime as dt

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


def write(run: DetectorRun, verdict: Verdict, now: dt.datetime) -> None:
    """Written again, it replaces itself. Raises StoreUnavailable."""
    row = (
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
    client.insert(
        "verdicts",
        [[cell] for cell in row],
        [name for name, _ in _COLUMNS],
        [type_ for _, type_ in _COLUMNS],
    )
