"""Ranks the commits that may have caused a failure.

Each place of the data path gives evidence to the commits that changed it. Evidence of different
kinds adds up as independent chances do; how recent a change is weighs all of it, since code that
ran for long without failing is less suspect. Changes of layout and comments count little.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import datetime

from debugging import changes, git, history
from debugging.history import Change, Commit
from debugging.places import DataPath, Place
from debugging.report import Culprit, Reason
from debugging.snapshot import Snapshot
from debugging.suspects import WROTE, Suspect

PLACE_LIMIT = 60
DIFF_CANDIDATES = 18
RECENT_COMMITS = 200
RECENT_SUSPECTS = 12
FILE_LOG_COMMITS = 15
FUNCTION_LOG_COMMITS = 8
CULPRIT_LIMIT = 8
REASON_LIMIT = 5
HUNK_LINES = 60
_DAY = 86_400.0
_TERM = re.compile(r"['\"`‘“]([A-Za-z_][\w.-]{2,60})['\"`’”]")


def rank(
    snapshot: Snapshot, path: DataPath, error_text: str, failed_at: datetime
) -> tuple[Culprit, ...]:
    """The suspects, best first."""
    suspects: dict[str, Suspect] = {}
    order = _order(snapshot)
    _blame_places(snapshot, path.places, suspects, ())
    _follow_functions(snapshot, path.places, suspects)
    _touched_files(snapshot, path.places, suspects, order)
    weigh = _weigher(order, failed_at)
    first = sorted(suspects.values(), key=weigh, reverse=True)[:DIFF_CANDIDATES]
    diffs = _changes(snapshot, [one.commit.sha for one in first], path.places)
    layout = tuple(c.commit.sha for c in diffs if changes.only_layout(c))
    if layout:
        _blame_places(snapshot, path.places[:12], suspects, layout)
    terms = frozenset(_TERM.findall(error_text)) - {"self"}
    for change in diffs:
        changes.read_change(snapshot, change, suspects[change.commit.sha], path, terms)
        if change.commit.sha in layout:
            suspects[change.commit.sha].factor *= 0.15
    ranked = sorted(suspects.values(), key=weigh, reverse=True)[:CULPRIT_LIMIT]
    best = ranked[:1] and weigh(ranked[0])
    return tuple(
        _culprit(one, weigh(one), failed_at) for one in ranked if best and weigh(one) > best * 0.12
    )


def _order(snapshot: Snapshot) -> dict[str, Commit]:
    found = history.recent(snapshot.directory, snapshot.commit, limit=RECENT_COMMITS)
    return {commit.sha: commit for commit in found}


def _weigher(order: dict[str, Commit], failed_at: datetime) -> Callable[[Suspect], float]:
    """Half of the weight of time is in days and half in commits: projects differ in pace."""
    positions = {sha: number for number, sha in enumerate(order)}

    def weigh(one: Suspect) -> float:
        days = max(0.0, (failed_at - one.commit.date).total_seconds() / _DAY)
        position = positions.get(one.commit.sha, RECENT_COMMITS)
        recent = 0.5 * math.exp(-days / 30) + 0.5 / (1 + 0.06 * position)
        root = 0.7 if one.commit.parents == 0 else 1.0
        return one.strength(recent) * (0.45 + 0.55 * recent) * root

    return weigh


def _blame_places(
    snapshot: Snapshot,
    places: tuple[Place, ...],
    suspects: dict[str, Suspect],
    ignored: tuple[str, ...],
) -> None:
    if not ignored:
        _read_blame(snapshot, places[:PLACE_LIMIT])
    for place in places[:PLACE_LIMIT]:
        if ignored:
            lines = (
                history.blame(
                    snapshot.directory,
                    snapshot.commit,
                    place.path,
                    [(place.first, place.last)],
                    ignored=ignored,
                )
                if _blamed_on(snapshot, place, ignored)
                else {}
            )
        else:
            lines = snapshot.blame(place.path, place.first, place.last)
        if not lines:
            continue
        commits = {line.commit.sha: line.commit for line in lines.values()}
        wrote = _author_of_function(snapshot, place, lines)
        for sha, commit in commits.items():
            weight, verb = place.weight, "changed"
            if sha == wrote:
                weight, verb = weight * (0.7 if len(commits) == 1 else 0.45), WROTE
            suspect = suspects.setdefault(sha, Suspect(commit))
            suspect.add(f"{verb} {place.phrase}", weight, place.span_ids, place.path)


def _read_blame(snapshot: Snapshot, places: tuple[Place, ...]) -> None:
    ranges: dict[str, list[tuple[int, int]]] = {}
    for place in places:
        ranges.setdefault(place.path, []).append((place.first, place.last))
        function = snapshot.enclosing(place.path, place.first)
        if function is not None:
            ranges[place.path].append((function.first_line, function.last_line))
    for path, wanted in ranges.items():
        snapshot.blame_ranges(path, wanted)


def _blamed_on(snapshot: Snapshot, place: Place, shas: tuple[str, ...]) -> bool:
    lines = snapshot.blame(place.path, place.first, place.last)
    return any(line.commit.sha in shas for line in lines.values())


def _author_of_function(
    snapshot: Snapshot, place: Place, lines: dict[int, history.BlameLine]
) -> str | None:
    """The commit that first wrote the function of a place, when it can be told from blame."""
    if place.whole:
        blamed = lines
    else:
        function = snapshot.enclosing(place.path, place.first)
        if function is None:
            return None
        blamed = snapshot.blame(place.path, function.first_line, function.last_line)
    oldest = min(blamed.values(), key=lambda line: line.commit.date, default=None)
    head = next((blamed[n] for n in sorted(blamed)), None)
    if oldest is None or head is None or head.commit.sha != oldest.commit.sha:
        return None
    return oldest.commit.sha


def _follow_functions(
    snapshot: Snapshot, places: tuple[Place, ...], suspects: dict[str, Suspect]
) -> None:
    """Blame shows no removed lines; following the failing function backwards does."""
    for place in [one for one in places if one.whole][:1]:
        try:
            changes = history.of_lines(
                snapshot.directory,
                snapshot.commit,
                place.path,
                place.first,
                place.last,
                limit=FUNCTION_LOG_COMMITS,
            )
        except (git.CommandFailed, git.OutputTooLarge, git.GitTimeout):
            continue  # the function's own commits still come from blame
        for number, change in enumerate(changes):
            created = number == len(changes) - 1 and len(changes) < FUNCTION_LOG_COMMITS
            weight = place.weight * (0.45 if created else 1.0)
            suspect = suspects.setdefault(change.commit.sha, Suspect(change.commit))
            verb = WROTE if created else "changed"
            suspect.add(f"{verb} {place.phrase}", weight, place.span_ids, place.path)


def _touched_files(
    snapshot: Snapshot,
    places: tuple[Place, ...],
    suspects: dict[str, Suspect],
    order: dict[str, Commit],
) -> None:
    files = list(dict.fromkeys(place.path for place in places))[:4]
    for number, path in enumerate(files):
        weight = 0.18 if number == 0 else 0.1
        phrase = "touches the failing file" if number == 0 else f"touches {path} on the data path"
        found = history.recent(
            snapshot.directory, snapshot.commit, limit=FILE_LOG_COMMITS, path=path
        )
        for commit in found:
            suspects.setdefault(commit.sha, Suspect(commit)).add(phrase, weight, (), path)
    for commit in list(order.values())[:RECENT_SUSPECTS]:
        phrase = "is among the last changes before the failure"
        suspects.setdefault(commit.sha, Suspect(commit)).add(phrase, 0.04, (), None)


def _changes(snapshot: Snapshot, shas: list[str], places: tuple[Place, ...]) -> list[Change]:
    paths = list(dict.fromkeys(place.path for place in places))[:40]
    for wanted in (None, paths):
        try:
            return history.diffs(snapshot.directory, shas, wanted)
        except (git.OutputTooLarge, git.GitTimeout):
            continue  # one huge commit must not hide the others: ask for fewer files
    return []


def _culprit(one: Suspect, score: float, failed_at: datetime) -> Culprit:
    ordered = sorted(one.evidence.items(), key=lambda item: -item[1][0])
    reasons = [Reason(phrase, spans) for phrase, (_, spans, _) in _telling(ordered)]
    reasons.append(Reason(_when(one.commit.date, failed_at)))
    hunk = one.best_hunk if one.best_hunk and one.best_hunk[0] > 0 else None
    path = hunk[1] if hunk else next((p for _, (_, _, p) in ordered if p), None)
    return Culprit(
        one.commit.sha,
        one.commit.author,
        one.commit.date,
        one.commit.subject,
        round(min(1.0, score), 4),
        tuple(reasons),
        path,
        _cut(hunk[2]) if hunk else None,
    )


def _telling(
    ordered: Iterable[tuple[str, tuple[float, tuple[str, ...], str | None]]],
) -> list[tuple[str, tuple[float, tuple[str, ...], str | None]]]:
    """The strongest reasons; that a file was touched goes without saying beside better ones."""
    ordered = list(ordered)
    strong = [item for item in ordered if item[1][0] > 0.2]
    return (strong or ordered)[:REASON_LIMIT]


def _when(date: datetime, failed_at: datetime) -> str:
    seconds = (failed_at - date).total_seconds()
    if seconds < 0:
        return "committed after the trace began, by the clocks of both"
    for size, unit in ((_DAY, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"committed {count} {unit}{'s' if count > 1 else ''} before the failure"
    return "committed less than a minute before the failure"


def _cut(hunk: str) -> str:
    rows = hunk.split("\n")
    if len(rows) <= HUNK_LINES:
        return hunk[:8000]
    return "\n".join([*rows[:HUNK_LINES], f"… {len(rows) - HUNK_LINES} more lines"])[:8000]
