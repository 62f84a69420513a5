"""The same tool called with the same arguments again and again: a loop, or an answer not read.

Catches three or more equal calls (configurable) whose results did not change; a poll whose answer
changes is at work, not stuck, and reads in between other writes are allowed for by the results.
Does not catch loops whose arguments vary.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence

from detectors.checks.check import Config
from detectors.checks.tool_calls import ToolCall, read_calls
from detectors.verdicts import Claim, Proof, Verdict
from traces.call_facts import CallFacts
from traces.spans import Span

DEFAULT_TIMES = 3
CLAIM_LIMIT = 5
_EXCERPT_CHARS = 300


class RepeatedCall:
    slug = "repeated_call"
    name = "Repeated call"
    looks_for = (
        "The same tool called with the same arguments three times or more in one trace, and "
        "answering the same each time."
    )
    severity = "medium"

    def passes(self, calls: CallFacts, config: Config) -> str:
        # Calls that are equal here have one answer, of which the store keeps a hash.
        return "" if calls.has_told or calls.equal >= _times(config) else _nothing_repeated(config)

    def examine(self, spans: Sequence[Span], config: Config) -> Verdict:
        times = _times(config)
        calls = read_calls(spans)
        repeated = sorted(
            (group for group in _equal_calls(calls) if len(group) >= times), key=len, reverse=True
        )
        if not repeated:
            return Verdict("pass", _nothing_repeated(config))
        worst = repeated[0]
        return Verdict(
            outcome="fail",
            summary=(
                f"{worst[0].name} was called {len(worst)} times with the same arguments "
                "and gave the same answer."
            ),
            confidence=min(0.95, 0.7 + 0.05 * (len(worst) - times)),
            claims=tuple(_claim(group) for group in repeated[:CLAIM_LIMIT]),
            fingerprint_parts=(worst[0].name,),
        )


def _times(config: Config) -> int:
    value = config.get("times", DEFAULT_TIMES)
    return (
        value
        if isinstance(value, int) and not isinstance(value, bool) and value >= 2
        else DEFAULT_TIMES
    )


def _nothing_repeated(config: Config) -> str:
    return f"No tool was called {_times(config)} times with the same arguments and answer."


def canonical(arguments: str) -> str:
    """JSON with sorted keys and without insignificant space, so that equal calls are equal text."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return " ".join(arguments.split())
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _equal_calls(calls: Sequence[ToolCall]) -> list[list[ToolCall]]:
    """Calls of one tool with equal arguments and results, each counted once."""
    groups: dict[tuple[str, str, str], list[ToolCall]] = defaultdict(list)
    spans_of: dict[tuple[str, str, str], set[bytes]] = defaultdict(set)
    for call in calls:
        if not call.arguments.strip():
            continue  # nothing recorded is not the same as nothing passed
        # White space as the engine knows it, which hashes the same words (`answer_hash`).
        words = call.result.encode("utf-8", "replace").split()
        result = hashlib.sha256(b" ".join(words)).hexdigest()
        key = (call.name, canonical(call.arguments), result)
        if call.is_own_span and call.span.parent_span_id in spans_of[key]:
            continue  # one call recorded by two instrumentations
        spans_of[key].add(call.span.span_id)
        groups[key].append(call)
    return list(groups.values())


def _claim(group: Sequence[ToolCall]) -> Claim:
    first = group[0]
    counted = Proof(
        "aggregate", first.span.span_id, "calls", f"{first.name}: {len(group)} equal calls", True
    )
    quotes = tuple(
        Proof("quote", call.span.span_id, "input", call.arguments.strip()[:_EXCERPT_CHARS])
        for call in (group[0], group[-1])
        if call.is_own_span
    )
    answer = tuple(
        Proof("quote", call.span.span_id, "output", call.result.strip()[:_EXCERPT_CHARS])
        for call in group[-1:]
        if call.is_own_span and call.result.strip()
    )
    return Claim(
        f"{first.name} was called {len(group)} times with the same arguments.",
        (counted, *quotes, *answer),
    )
