"""A failed tool call that nothing later made good.

Catches: a tool span with status error or an exception, a result that is an error by its form though
the span says OK, and error results that only the messages to the model report. Does not catch: a
wrong answer that looks like an ordinary one, nor a failure that a different tool worked around
(that may be a finding which a person dismisses).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from detectors.checks.check import Config
from detectors.checks.tool_calls import Failure, ToolCall, read_calls
from detectors.verdicts import Claim, Proof, Verdict
from traces.call_facts import CallFacts
from traces.spans import Span

CLAIM_LIMIT = 8
_SUBJECT_ERRORS = (
    "not found",
    "does not exist",
    "invalid",
    "no such",
    "unknown",
    "not a valid",
    "404",
)


class ToolFailure:
    slug = "tool_failure"
    name = "Tool failure"
    looks_for = (
        "A tool call that failed (status error, exception, or a result that is an error) with no "
        "later successful call of the same tool for the same purpose."
    )
    severity = "high"

    def passes(self, calls: CallFacts, config: Config) -> str:
        # `may_have_failed` holds for whatever `tool_calls` takes for a failure of a span.
        return "" if calls.failed or calls.has_told else "No tool call failed."

    def examine(self, spans: Sequence[Span], config: Config) -> Verdict:
        calls = read_calls(spans)
        failed = [call for call in calls if call.failure is not None]
        if not failed:
            return Verdict("pass", _nothing_failed(calls))
        parents = {span.span_id: span.parent_span_id for span in spans}
        unrecovered = [call for call in failed if not _is_recovered(call, calls, parents)]
        if not unrecovered:
            return Verdict(
                "pass",
                _count(len(failed), "failed tool call was", "failed tool calls were")
                + " recovered.",
            )
        return _fail(unrecovered)


def _nothing_failed(calls: Sequence[ToolCall]) -> str:
    if not calls:
        return "The trace has no tool calls."
    return (
        "No tool call failed."
        if len(calls) == 1
        else f"None of the {len(calls)} tool calls failed."
    )


def _is_recovered(
    failed: ToolCall, calls: Sequence[ToolCall], parents: Mapping[bytes, bytes]
) -> bool:
    by_span = {call.span.span_id: call for call in calls if call.is_own_span}
    outer = _enclosing_call(failed, by_span, parents) if failed.is_own_span else None
    if outer is not None:
        # The outer call answers for it: either it coped, or it is itself the failure to report.
        return True
    return any(_makes_good(later, failed) for later in calls if later.order > failed.order)


def _enclosing_call(
    call: ToolCall, by_span: Mapping[bytes, ToolCall], parents: Mapping[bytes, bytes]
) -> ToolCall | None:
    above = parents.get(call.span.span_id, b"")
    for _ in range(64):  # a cycle of parents must not hold us
        if not above or above == call.span.span_id:
            return None
        if above in by_span:
            return by_span[above]
        above = parents.get(above, b"")
    return None


def _makes_good(later: ToolCall, failed: ToolCall) -> bool:
    if later.failure is not None or later.name != failed.name:
        return False
    if later.is_own_span and not later.span.end_ns:
        return False
    return _is_same_purpose(failed, later)


def _is_same_purpose(failed: ToolCall, later: ToolCall) -> bool:
    """Another subject (an id, an address) makes it another task, unless the subject was the
    mistake."""
    before, after = _subjects(failed.arguments), _subjects(later.arguments)
    shared = before.keys() & after.keys()
    differing = [key for key in shared if before[key] != after[key]]
    if not differing:
        return True
    if len(differing) < len(shared):
        return True
    message = failed.failure.message.lower() if failed.failure else ""
    return any(before[key].lower() in message for key in differing) or any(
        words in message for words in _SUBJECT_ERRORS
    )


def _subjects(arguments: str) -> dict[str, str]:
    """The arguments that say what a call is about: ids, keys, e-mail addresses."""
    try:
        value = json.loads(arguments) if arguments.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        return {}
    if not isinstance(value, dict):
        return {}
    return {
        key: str(inner)
        for key, inner in value.items()
        if isinstance(inner, str | int) and _names_a_subject(key.lower())
    }


def _names_a_subject(key: str) -> bool:
    return (
        key in ("id", "key", "email", "sku", "username")
        or key.endswith(("_id", "id_", "_key", "_email", "_number"))
        or (key.endswith("id") and key != "valid" and len(key) > 4)
    )


def _fail(unrecovered: Sequence[ToolCall]) -> Verdict:
    groups: dict[tuple[str, str], list[ToolCall]] = {}
    for call in unrecovered:
        if call.failure is not None:
            groups.setdefault((call.name, call.failure.message), []).append(call)
    shown = list(groups.values())[-CLAIM_LIMIT:]  # the last failures are what the run ended with
    claims = tuple(_claim(group) for group in shown)
    last = shown[-1][-1]
    failure = last.failure
    if failure is None:  # pragma: no cover - every group holds failed calls
        raise AssertionError("a group of failures without a failure")
    return Verdict(
        outcome="fail",
        summary=_summary(unrecovered, last, failure),
        confidence=0.95
        if failure.origin == "exception"
        else 0.9
        if failure.origin == "status"
        else 0.85,
        claims=tuple(reversed(claims)),
        fingerprint_parts=(last.name, failure.error_type, failure.message),
    )


def _summary(unrecovered: Sequence[ToolCall], last: ToolCall, failure: Failure) -> str:
    first_line = failure.message.strip().split("\n", 1)[0][:200]
    error_type = failure.error_type.rpartition(".")[2]
    if error_type and error_type not in first_line:
        first_line = f"{error_type}: {first_line}"
    text = f"{last.name} failed and was not recovered: {first_line}"
    names = {call.name for call in unrecovered}
    if len(unrecovered) > 1:
        text += f" ({len(unrecovered)} failed calls" + (
            f" of {len(names)} tools)" if len(names) > 1 else ")"
        )
    return text[:500]


def _claim(group: Sequence[ToolCall]) -> Claim:
    call = group[-1]
    failure = call.failure
    if failure is None:  # pragma: no cover - see _fail
        raise AssertionError("a claim about a call that did not fail")
    how = {
        "exception": "raised an exception",
        "status": "ended with status error",
        "result": "returned an error",
    }
    text = f"{call.name} {how[failure.origin]}"
    if len(group) > 1:
        text += f" {len(group)} times"
    text += ", and no later call of it succeeded."
    proofs = tuple(_proof(each) for each in group[-3:])
    return Claim(text, proofs)


def _proof(call: ToolCall) -> Proof:
    failure = call.failure
    if failure is not None and failure.quote:
        return Proof("quote", call.span.span_id, failure.field, failure.quote)
    return Proof(
        "aggregate",
        call.span.span_id,
        "status",
        "The span ended with status error and says nothing more.",
        True,
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
