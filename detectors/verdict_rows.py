"""Every outcome as a row of the store, with the probability that it was judged: of runs, and of
checks that could not but pass, which need none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from detectors.models import Detector, DetectorRun
from detectors.verdicts import Verdict
from traces.store import client
from traces.store.system import SettledTrace

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


NO_RUN = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Pass:
    """A check that passes a trace without a run."""

    detector: Detector
    trace: SettledTrace
    summary: str


def write(decided: Sequence[tuple[DetectorRun, Verdict]], now: dt.datetime) -> None:
    """One INSERT for all. Written again, a row replaces itself. Raises StoreUnavailable."""
    _insert([_row(run, verdict, now) for run, verdict in decided])


def write_passes(passes: Sequence[Pass], now: dt.datetime) -> None:
    """As `write`."""
    version = int(now.timestamp() * 1e9)
    _insert([_pass_row(one, now, version) for one in passes])


def _insert(rows: Sequence[tuple[object, ...]]) -> None:
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


def _pass_row(one: Pass, now: dt.datetime, version: int) -> tuple[object, ...]:
    return (
        one.trace.project_id,
        one.trace.retention_days,
        now,
        one.detector.id,
        one.detector.version,
        one.trace.trace_id,
        one.trace.generation,
        NO_RUN,
        "pass",
        1.0,
        one.detector.sample_rate,
        one.summary,
        None,
        0,
        0,
        version,
    )
