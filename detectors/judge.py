"""Asks a language model for a verdict on a trace, and takes nothing it says on trust.

Transient errors are tried again with growing pauses until a deadline; an answer that is no
verdict gets one chance of repair; a refusal is an abstention. What remains raises JudgeFailed
with the reason, which the run shows: no case stays pending.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from detectors import evidence, judge_prompt, judge_verdicts, transcript
from detectors.judge_verdicts import TOOL, TOOL_NAME, BadVerdict
from detectors.transcript import Transcript
from detectors.verdicts import Spent, Verdict
from integrations import language_models
from integrations.language_models import (
    Completion,
    ContentRefused,
    ModelAddress,
    ModelError,
    ProviderUnavailable,
    RateLimited,
    TimedOut,
)
from traces.spans import Span

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 20.0
_TRANSIENT = (RateLimited, ProviderUnavailable, TimedOut)


class JudgeFailed(Exception):
    """No verdict could be had. The text is for the page; `spent` is what the attempts cost."""

    def __init__(self, reason: str, spent: Spent | None = None) -> None:
        super().__init__(reason)
        self.spent = spent or Spent()


@dataclass(frozen=True, slots=True)
class Judge:
    """Where judging happens and how long it may take. `deadline_seconds` bounds all attempts."""

    address: ModelAddress
    timeout_seconds: float = 60.0
    deadline_seconds: float = 150.0
    max_tokens: int = 1500
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random


def configured() -> Judge | None:
    """The server's judge, or None when no model is set."""
    if not settings.JUDGE_MODEL:
        return None
    return Judge(
        address=ModelAddress(settings.JUDGE_MODEL, settings.JUDGE_BASE_URL, settings.JUDGE_API_KEY),
        timeout_seconds=settings.JUDGE_TIMEOUT_SECONDS,
        deadline_seconds=settings.JUDGE_TIMEOUT_SECONDS * 2.5,
        max_tokens=settings.JUDGE_MAX_TOKENS,
    )


def examine(
    judge: Judge, spans: Sequence[Span], looks_for: str, leads: tuple[str, ...] = ()
) -> Verdict:
    """A verdict whose evidence was found in the trace. Raises JudgeFailed."""
    if not spans:
        return Verdict("abstain", "The trace has no spans.", confidence=0.0)
    written = transcript.write(spans)
    conversation = judge_prompt.messages(looks_for, written, leads)
    verdict = _ask(judge, conversation, written)
    checked = evidence.verify(verdict, spans)
    return replace(checked, fingerprint_parts=_fingerprint_parts(checked, spans))


def _ask(judge: Judge, conversation: list[dict[str, Any]], written: Transcript) -> Verdict:
    deadline = judge.clock() + judge.deadline_seconds
    spent = Spent()
    problem = ""
    for _ in range(2):  # the answer, and one repair of it
        try:
            completion = _complete(judge, conversation, deadline)
        except ContentRefused as error:
            return Verdict(
                "abstain",
                f"The model declined to judge this trace: {error}"[:500],
                0.0,
                spent=spent,
            )
        except ModelError as error:
            raise JudgeFailed(str(error), spent) from error
        spent += Spent(completion.cost_usd, completion.usage.input, completion.usage.output)
        try:
            return replace(judge_verdicts.parse(_answer(completion), written), spent=spent)
        except BadVerdict as error:
            problem = str(error)
            if completion.finish_reason == "length":
                problem += " The answer was cut off; make it shorter."
            conversation = [*conversation, _spoken(completion), judge_prompt.repair(problem)]
    raise JudgeFailed(
        f"{judge.address.model} gave no valid verdict, also when asked again: {problem}", spent
    )


def _complete(judge: Judge, conversation: list[dict[str, Any]], deadline: float) -> Completion:
    attempt = 0
    while True:
        remaining = deadline - judge.clock()
        try:
            return language_models.complete(
                conversation,
                address=judge.address,
                timeout_seconds=max(1.0, min(judge.timeout_seconds, remaining)),
                max_tokens=judge.max_tokens,
                tools=(TOOL,),
                tool_choice=TOOL_NAME,
            )
        except _TRANSIENT as error:
            pause = _pause(attempt, error, judge.random())
            if judge.clock() + pause >= deadline:
                raise
            judge.sleep(pause)
            attempt += 1


def _pause(attempt: int, error: ModelError, chance: float) -> float:
    """Doubling with full jitter above a half, or what the provider asked for."""
    if isinstance(error, RateLimited) and error.retry_after_seconds is not None:
        return error.retry_after_seconds + chance
    longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0**attempt)
    return longest * (0.5 + chance / 2)


def _answer(completion: Completion) -> str:
    """The tool call's arguments; models without tools answer in text."""
    for call in completion.tool_calls:
        if call.name == TOOL_NAME:
            return call.arguments
    return completion.text


def _spoken(completion: Completion) -> dict[str, Any]:
    """The bad answer as text: replaying a broken tool call is refused by some providers."""
    return {"role": "assistant", "content": _answer(completion)[:4_000] or "(no answer)"}


def _fingerprint_parts(verdict: Verdict, spans: Sequence[Span]) -> tuple[str, ...]:
    """Where it went wrong, not how it was worded: wording differs with every call of a model."""
    by_id = {span.span_id: span for span in spans}
    span = by_id.get(verdict.span_id)
    if span is None:
        return ()
    return (span.kind, span.agent_name, span.tool_name or span.name, span.error_type)
