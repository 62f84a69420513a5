"""What one session does, step by step: read the trace, choose and fetch the repository, find the
commit that ran, map the failure to lines, rank the changes. No model is asked.

Each step is on the row before the next begins. The search itself is `rule_pass`.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

from django.db import DatabaseError

from debugging import facts, git, matching, outcomes, repositories, rule_pass, trace_facts
from debugging.claims import Claim, ClaimLost, plain
from debugging.facts import NoSuchTrace
from debugging.matching import Match
from debugging.mirror_locks import MirrorBusy
from debugging.mirrors import Mirror, ResolvedRef
from debugging.models import DebuggingSession, Step
from debugging.report import Report
from debugging.rule_pass import TraceFacts
from debugging.trace_facts import Failure
from traces.store.errors import StoreError, StoreUnavailable

log = logging.getLogger(__name__)

_State = DebuggingSession.State
_PAUSE = dt.timedelta(seconds=10)
_UNEXPECTED = (
    "Something went wrong on our side; the server's log says what. Start the session again, and "
    "tell the operator when it fails again."
)


def run(claim: Claim) -> None:
    """Brings a claimed session to its end, or puts it off when what it needs is down."""
    try:
        with claim.renewed():
            _investigate(claim)
    except ClaimLost:
        log.info("session.given_away session=%s", claim.session.pk)
    except (StoreUnavailable, MirrorBusy) as error:
        why = str(error)
        _end(claim, lambda: claim.put_off(_PAUSE, why))
    except (NoSuchTrace, StoreError, git.GitError) as error:
        reason = str(error)
        _end(claim, lambda: claim.finish(_State.FAILED, error=reason))
    except DatabaseError as error:
        # Nothing can be noted now: the lease runs out and the next attempt finds the row.
        log.warning("session.database_failed session=%s reason=%s", claim.session.pk, error)
    except Exception:
        log.exception("session.failed session=%s", claim.session.pk)
        _end(claim, lambda: claim.finish(_State.FAILED, error=_UNEXPECTED))


def _investigate(claim: Claim) -> None:
    session = claim.session
    focus = facts.focus(session.project_id, bytes.fromhex(session.trace_id))
    trace, failures = _read_trace(claim, focus)
    chosen = _choose(claim, trace)
    if chosen.repository is None:
        _abstain_without_source(claim, trace, failures, chosen)
        return
    mirror = _fetch(claim, chosen, trace)
    resolved = _resolve(claim, mirror, trace)
    report = _analyse(claim, mirror, trace, focus)
    _show_ranking(claim, report)
    claim.finish(
        _State.ABSTAINED if report.abstained else _State.CONCLUDED,
        summary=report.abstained or report.summary,
        commit=resolved.commit,
        confidence=report.culprits[0].score if report.culprits else 0.0,
        report=outcomes.to_text(report, trace, failures, chosen.repository.name, chosen.note),
    )


def _read_trace(claim: Claim, focus: tuple[str, ...]) -> tuple[TraceFacts, tuple[Failure, ...]]:
    with claim.step("trace", "Reading the trace") as step:
        trace = facts.read(claim.session.project_id, bytes.fromhex(claim.session.trace_id))
        failures = trace_facts.failures(trace, focus)
        step.title = f"Read {_count(len(trace.spans), 'span')} of the trace"
        step.detail = " ".join(_failure_sentence(one) for one in failures) or (
            "None of them failed, and no finding points at one."
        )
        if not failures:
            step.outcome = Step.Outcome.WARN
    return trace, failures


def _choose(claim: Claim, trace: TraceFacts) -> Match:
    with claim.step("repository", "Choosing the repository") as step:
        chosen = matching.match(claim.session.project_id, trace.git_repo)
        if chosen.repository is None:
            step.title, step.outcome = "Found no repository for this trace", Step.Outcome.WARN
        else:
            step.title = f"Chose {chosen.repository.name}"
        step.detail = chosen.note
    return chosen


def _fetch(claim: Claim, chosen: Match, trace: TraceFacts) -> Mirror:
    assert chosen.repository is not None
    with claim.step("fetch", f"Fetching {chosen.repository.name}") as step:
        try:
            mirror = repositories.fetch(
                chosen.repository,
                claim.clock,
                wanted=trace.git_ref or "",
                stop_watch=claim.stop_watch(),
            )
        except git.GitError as error:
            step.detail = str(error)
            raise
        step.title = f"Fetched {chosen.repository.name}"
    return mirror


def _resolve(claim: Claim, mirror: Mirror, trace: TraceFacts) -> ResolvedRef:
    with claim.step("commit", "Finding the commit that ran") as step:
        resolved = mirror.resolve(trace.git_ref, at=trace.started_at, release=trace.release)
        step.title = f"Found commit {resolved.commit[:7]}"
        step.detail = resolved.drift or "The exact commit that ran."
        if resolved.drift:
            step.outcome = Step.Outcome.WARN
    return resolved


def _analyse(claim: Claim, mirror: Mirror, trace: TraceFacts, focus: tuple[str, ...]) -> Report:
    with claim.step("map", "Following the failure to its lines and their history") as step:
        report = rule_pass.analyse(trace, mirror, focus=focus)
        if report.locations:
            first = report.locations[0]
            what = f"{first.function} to " if first.function else "the failure to "
            step.title = f"Mapped {what}{first.path}:{first.line}"
            step.detail = " ".join(_sentence(_capital(one.text)) for one in first.reasons[:2])
        else:
            step.title, step.outcome = "Found no line in this repository", Step.Outcome.WARN
            step.detail = report.abstained or ""
    return report


def _show_ranking(claim: Claim, report: Report) -> None:
    if not report.locations:
        return
    with claim.step("rank", "Ranking changes") as step:
        if not report.culprits:
            step.title, step.outcome = "No change stands out", Step.Outcome.WARN
            return
        first = report.culprits[0]
        step.title = f"Ranked {_count(len(report.culprits), 'commit')}"
        why = f" {_capital(first.reasons[0].text)}." if first.reasons else ""
        step.detail = f"{first.sha[:7]} first, by {first.author}: {_sentence(first.subject)}{why}"


def _abstain_without_source(
    claim: Claim, trace: TraceFacts, failures: tuple[Failure, ...], chosen: Match
) -> None:
    """The calls of the stack are still worth showing."""
    report = Report(
        trace.trace_id,
        None,
        trace.git_ref,
        None,
        chosen.note,
        notes=trace_facts.completeness(trace),
        abstained=chosen.note,
    )
    claim.finish(
        _State.ABSTAINED,
        summary=chosen.note,
        report=outcomes.to_text(report, trace, failures, trace.git_repo or "", chosen.note),
    )


def _end(claim: Claim, act: Callable[[], None]) -> None:
    """The last write may find that the session is not ours any more; then nothing is to do."""
    try:
        act()
    except ClaimLost:
        log.info("session.given_away session=%s", claim.session.pk)


def _failure_sentence(one: Failure) -> str:
    said = plain((one.error_text or "").strip().split("\n")[0], 160)
    if one.exceptions:
        said = plain(f"{one.exceptions[0].type}: {one.exceptions[0].message}".split("\n")[0], 160)
    return _sentence(f"{one.span.name} failed with {said}" if said else f"{one.span.name} failed")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
