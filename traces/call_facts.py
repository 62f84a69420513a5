"""What a trace's tool calls look like from afar: facts by which checks pass over sound traces.

Each is generous, never too small: worked out from what the store noted of every span when it came
in (`may_have_failed`, `answer_hash`, `may_tell_results`), without reading content again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from traces.trace_spans import TraceSpans


@dataclass(frozen=True, slots=True)
class CallFacts:
    """`failed`: calls that may have failed; `equal`: the most calls of one tool with one answer;
    `has_told`: no tool has a span of its own, but messages may report calls."""

    failed: int
    equal: int
    has_told: bool


def of(trace: TraceSpans) -> CallFacts:
    answers = Counter(filter(None, trace["answer_hash"]))
    return CallFacts(
        failed=sum(map(bool, trace["may_have_failed"])),
        equal=max(answers.values(), default=0),
        has_told=any(trace["may_tell_results"]) and "tool" not in trace["kind"],
    )
