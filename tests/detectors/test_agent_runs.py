"""The checks on 181 recorded runs of real agents: what they find, and that they cost little."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from detectors.checks.registry import BY_SLUG, CHECKS
from detectors.checks.tool_calls import read_calls
from detectors.evidence import verify
from tests.detectors.traces import recorded_runs

RECORDINGS = ("airline-support", "research-crew")


@pytest.mark.parametrize("name", RECORDINGS)
def test_exactly_the_failed_calls_of_real_runs_are_recognised(shared: Path, name: str) -> None:
    for spans in recorded_runs(shared, name):
        failed = {each.span_id for each in spans if each.kind == "tool" and each.status == "error"}
        assert {call.span.span_id for call in read_calls(spans) if call.failure} == failed


@pytest.mark.parametrize(
    ("name", "failures", "loops"), [("airline-support", 8, 4), ("research-crew", 16, 0)]
)
def test_findings_on_real_runs_stay_as_documented(
    shared: Path, name: str, failures: int, loops: int
) -> None:
    counts = dict.fromkeys(BY_SLUG, 0)
    for spans in recorded_runs(shared, name):
        for check in CHECKS:
            verdict = verify(check.examine(spans, {}), spans)
            counts[check.slug] += verdict.outcome == "fail"
            assert all(proof.is_verified for _, proof in verdict.proofs())
    assert counts == {"tool_failure": failures, "repeated_call": loops}


def test_checks_take_little_time(shared: Path) -> None:
    runs = list(recorded_runs(shared, "airline-support"))
    started = time.process_time()
    for spans in runs:
        for check in CHECKS:
            check.examine(spans, {})
    assert (time.process_time() - started) / len(runs) < 0.02
