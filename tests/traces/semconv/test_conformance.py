"""The real cases of others: what share of their own tests' expectations our reading fulfils.

`python -m tests.traces.semconv.conformance` lists what is not as expected; the reasons are in
`docs/conventions.md`.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from uuid import uuid4

import pytest

from tests.traces.semconv import conformance
from traces.otlp import decoder
from traces.semconv import messages, normalize

FLOOR = 0.98
FLOORS = {
    "codex": 1.0,
    "github-copilot": 1.0,
    "google-adk": 1.0,
    "langwatch-sdk": 1.0,
    # One wants the last question instead of all that went in, one a kind guessed from an absence.
    "mastra": 0.85,
    "opencode": 1.0,
    "openinference": 1.0,
    # Of two cache-read counts that disagree we trust the current name, laminar-003 the older one.
    "otel-genai-semconv": 0.97,
    # One expects a kind "server", which is no kind of ours.
    "plain-otel": 0.99,
    # Some want a tool's name put into its input, one a text where messages are due.
    "pydantic-ai-logfire": 0.99,
    "traceloop-openllmetry": 1.0,
    "vercel-ai-sdk": 0.97,
}


@pytest.fixture(scope="module")
def scores(shared: Path) -> dict[str, conformance.Score]:
    return conformance.score(shared)


@pytest.mark.parametrize("convention", FLOORS)
def test_expectations_of_others_hold(scores: dict[str, conformance.Score], convention: str) -> None:
    own = scores[convention]
    assert own.total, "no case of this convention was found"
    assert own.share >= FLOORS[convention], "\n".join(map(str, own.misses))


def test_nearly_all_expectations_hold(scores: dict[str, conformance.Score]) -> None:
    held = sum(own.held for own in scores.values())
    total = sum(own.total for own in scores.values())
    misses = [str(miss) for own in scores.values() for miss in own.misses]
    assert held / total >= FLOOR, "\n".join(misses)


def test_json_and_protobuf_are_read_alike(shared: Path) -> None:
    for case in conformance.trace_cases(shared):
        assert conformance.read(case, "json") == conformance.read(case, "protobuf"), case["case"]


def test_malformed_cases_are_rejected_with_a_reason(shared: Path) -> None:
    broken = [case for case in conformance.cases(shared) if not case["well_formed"]]
    assert broken
    for case in broken:
        decoded = decoder.decode(json.dumps(case["otlp_json"]).encode(), "json")
        assert decoded.rejected, case["case"]
        assert all("span" in rejection.reason for rejection in decoded.rejected)


def test_agent_runs_arrive_whole(shared: Path) -> None:
    runs = 0
    for name in ("airline-support", "research-crew"):
        with gzip.open(shared / "data" / "agent-runs" / f"{name}.otlp.jsonl.gz") as lines:
            for line in lines:
                decoded = decoder.decode(line, "json")
                assert not decoded.rejected
                spans = normalize.spans(decoded.spans, project_id=uuid4(), received_ns=1)
                runs += 1
                assert sum(span.is_local_root for span in spans) >= 1
                assert any(span.session_id for span in spans)
                assert all(span.service_name and span.environment for span in spans)
                for span in spans:
                    conversation = messages.of(span)
                    assert bool(span.input) <= bool(conversation.input)
                    assert bool(span.output) <= bool(conversation.output)
    assert runs == 181
