"""The rule pass: from a failing trace to ranked places and changes, without any model.

It reads a trace's facts and a mirror, and returns a report or says why it cannot. Nothing of the
repository is run. The steps are modules of their own: `trace_facts` (what failed), `sightings`
(where its code stands), `places` (what feeds it), `culprits` (who changed that).
"""

from __future__ import annotations

from datetime import UTC, datetime

from debugging import culprits, places, sightings, trace_facts
from debugging.history import Commit
from debugging.mirrors import Mirror, ResolvedRef
from debugging.places import DataPath
from debugging.report import (
    BlamedBy,
    Culprit,
    ExcerptLine,
    Location,
    Reason,
    Report,
)
from debugging.sightings import Sighting, Sightings
from debugging.snapshot import Snapshot
from debugging.trace_facts import ExceptionFact, Failure, SpanFacts, TraceFacts

__all__ = [
    "BlamedBy",
    "Culprit",
    "ExceptionFact",
    "ExcerptLine",
    "Location",
    "Reason",
    "Report",
    "SpanFacts",
    "TraceFacts",
    "analyse",
]

NOTHING_FAILED = (
    "Nothing in this trace failed: no span reports an error, no tool answered with one, and no "
    "finding points at a span. A search begins at such a place. If this run went wrong all the "
    "same, say under Detectors what is wrong with it: a finding on the next run like it gives the "
    "search its place."
)
LOCATION_LIMIT = 10
EXCERPTS = 5
CONTEXT_LINES = 12
CHANGED_PLACES = 3


def analyse(trace: TraceFacts, mirror: Mirror, *, focus: tuple[str, ...] = ()) -> Report:
    """Debugs one trace. `focus` names spans to look at although they report no error (those of a
    finding, say). Raises `git.GitError` when the repository cannot be read at all."""
    resolved = mirror.resolve(trace.git_ref, at=trace.started_at, release=trace.release)
    notes = trace_facts.completeness(trace)
    failures = trace_facts.failures(trace, focus)
    if not failures:
        return _abstain(trace, resolved, notes, NOTHING_FAILED)
    snapshot = Snapshot(mirror.directory, resolved.commit)
    seen = sightings.collect(trace, failures, snapshot)
    notes = (*notes, *seen.notes)
    if not seen.found:
        why = (
            f"{seen.headline}: nothing in the failing spans (stack, code attributes, names, "
            "texts) leads to a file of this repository."
        )
        return _abstain(trace, resolved, notes, why)
    path = places.follow(snapshot, seen.found)
    failed_at = _failed_at(trace, failures[0])
    ranked = culprits.rank(snapshot, path, seen.error_text, failed_at)
    located = _locations(snapshot, seen, path, ranked)
    notes = (*notes, *snapshot.unreadable.values())
    return Report(
        trace.trace_id,
        resolved.commit,
        resolved.requested,
        resolved.drift,
        _summary(seen, located, ranked, resolved),
        located,
        ranked,
        tuple(dict.fromkeys(notes)),
    )


def _abstain(trace: TraceFacts, resolved: ResolvedRef, notes: tuple[str, ...], why: str) -> Report:
    return Report(
        trace.trace_id,
        resolved.commit,
        resolved.requested,
        resolved.drift,
        why,
        notes=notes,
        abstained=why,
    )


def _failed_at(trace: TraceFacts, failure: Failure) -> datetime:
    nanoseconds = failure.span.end_ns or failure.span.start_ns
    try:
        return datetime.fromtimestamp(nanoseconds / 1e9, UTC) if nanoseconds else trace.started_at
    except (ValueError, OverflowError, OSError):
        return trace.started_at


def _locations(
    snapshot: Snapshot, seen: Sightings, path: DataPath, ranked: tuple[Culprit, ...]
) -> tuple[Location, ...]:
    grouped: dict[tuple[str, int], list[Sighting]] = {}
    for one in (*seen.found, *_changed_by_first(snapshot, path, ranked)):
        grouped.setdefault((one.path, one.line), []).append(one)
    scored = sorted(
        ((_combined(group), key) for key, group in grouped.items()),
        key=lambda item: (-item[0], item[1]),
    )[:LOCATION_LIMIT]
    return tuple(
        _location(snapshot, key, score, grouped[key], number < EXCERPTS)
        for number, (score, key) in enumerate(scored)
    )


def _changed_by_first(
    snapshot: Snapshot, path: DataPath, ranked: tuple[Culprit, ...]
) -> list[Sighting]:
    """Lines of the data path that the first suspect wrote: the error may be made there although
    it came up elsewhere."""
    if not ranked:
        return []
    first = ranked[0]
    found: dict[tuple[str, int], Sighting] = {}
    for place in path.places[: culprits.PLACE_LIMIT]:
        lines = snapshot.blame(place.path, place.first, place.last)
        for number, line in lines.items():
            text = (snapshot.lines(place.path) or ())[number - 1].strip()
            if line.commit.sha == first.sha and text and (place.path, number) not in found:
                reason = f"{first.sha[:7]} changed this line, part of {place.phrase}"
                weight = min(0.85, 0.4 + place.weight / 2) * (0.6 + 0.4 * first.score)
                found[place.path, number] = Sighting(
                    place.path, number, weight, reason, place.span_ids
                )
    return list(found.values())[:CHANGED_PLACES]


def _combined(group: list[Sighting]) -> float:
    weights = sorted((one.weight for one in group), reverse=True)
    return round(min(1.0, weights[0] + 0.05 * sum(weights[1:3])), 4)


def _location(
    snapshot: Snapshot,
    key: tuple[str, int],
    score: float,
    group: list[Sighting],
    with_excerpt: bool,
) -> Location:
    path, line = key
    function = snapshot.enclosing(path, line)
    reasons = dict.fromkeys(
        Reason(one.reason, one.span_ids) for one in sorted(group, key=lambda one: -one.weight)
    )
    excerpt = _excerpt(snapshot, path, line) if with_excerpt else ()
    name = function.name if function else None
    return Location(path, line, name, score, tuple(reasons)[:5], excerpt)


def _excerpt(snapshot: Snapshot, path: str, line: int) -> tuple[ExcerptLine, ...]:
    lines = snapshot.lines(path) or ()
    first, last = max(1, line - CONTEXT_LINES), min(len(lines), line + CONTEXT_LINES)
    blamed = snapshot.blame(path, first, last)
    found = []
    for number in range(first, last + 1):
        known = blamed.get(number)
        by = _blamed_by(known.commit) if known else None
        found.append(ExcerptLine(number, lines[number - 1][:500], by))
    return tuple(found)


def _blamed_by(commit: Commit) -> BlamedBy:
    return BlamedBy(commit.sha, commit.author, commit.date, commit.subject)


def _summary(
    seen: Sightings,
    located: tuple[Location, ...],
    ranked: tuple[Culprit, ...],
    resolved: ResolvedRef,
) -> str:
    first = located[0]
    where = f"{first.path} line {first.line}"
    where += f" in `{first.function}`" if first.function else ""
    sentences = [f"{seen.headline.rstrip('.')}, at {where}."]
    if ranked:
        best = ranked[0]
        why = best.reasons[0].text if best.reasons else "changed this code"
        sentences.append(
            f"Most suspect change: {best.sha[:7]} “{best.subject}” by {best.author} "
            f"on {best.date.day} {best.date:%b %Y}; it {why}."
        )
    if resolved.drift:
        sentences.append(resolved.drift)
    return " ".join(sentences)
