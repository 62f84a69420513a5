"""A project whose traces are stored, settled and swept for real."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.models import Project
from detectors import defaults, runs, sweep
from detectors.models import Detector
from tests.detectors.traces import exception, span, store_trace
from traces import settle
from traces.spans import Span
from traces.store.engine.process import EngineProcess

Detect = Callable[..., str]

BROKEN = [
    span(1, "agent", name="triage", output="Your refund has been issued."),
    span(
        2,
        name="refund",
        parent=1,
        input='{"order_id": 4417}',
        status="error",
        events=[exception("GatewayError", "fare_not_refundable")],
    ),
]
MENDED = [span(3, name="refund", parent=1, input='{"order_id": 4417}', output="refunded")]


def run_checks() -> None:
    assert sweep.hold("test", timezone.now())
    sweep.create_runs(timezone.now())
    sweep.release("test")
    runs.run_due(Detector.Kind.CHECK, seconds=30)


@pytest.fixture
def detect(store: EngineProcess, project: Project) -> Detect:
    """Stores a trace in Acme's project, settles it and runs the checks; returns its id in hex."""
    defaults.ensure(project)

    def settle_and_check(
        spans: list[Span] | None = None, trace_id: bytes | None = None, project: Project = project
    ) -> str:
        stored = store_trace(project.pk, spans or BROKEN, trace_id)
        settle.settle_quiet()
        run_checks()
        return stored.hex()

    return settle_and_check
