"""What the diff of a suspected commit says: does it touch the data path, does it name the error.

Blame shows only lines that are left; a diff also shows what was removed.
"""

from __future__ import annotations

import re

from debugging.history import Change, FileDiff
from debugging.places import DataPath, Place
from debugging.snapshot import Snapshot
from debugging.suspects import Suspect

_COMMENT = re.compile(r'^\s*(#|//|\*|/\*|"""|\'\'\')|^\s*$')


def read_change(
    snapshot: Snapshot,
    change: Change,
    suspect: Suspect,
    path: DataPath,
    terms: frozenset[str],
) -> None:
    by_file: dict[str, list[Place]] = {}
    for place in path.places:
        by_file.setdefault(place.path, []).append(place)
    for one in change.files:
        if one.is_new:
            suspect.discount_writing(one.path)
        near = by_file.get(one.path) or by_file.get(one.old_path or "") or []
        for hunk in one.hunks:
            worth = _hunk_in_function(snapshot, hunk, near, suspect, one.is_new)
            worth += _terms_in(hunk, terms, one, suspect, bool(near))
            if (
                near
                and worth
                and not one.is_new
                and path.words
                and _changed_words(hunk) & path.words
            ):
                suspect.add("changes names that the failing line uses", 0.25, (), one.path)
                worth += 0.25
            if suspect.best_hunk is None or worth > suspect.best_hunk[0]:
                suspect.best_hunk = (worth, one.path, hunk)


def _hunk_in_function(
    snapshot: Snapshot, hunk: str, near: list[Place], suspect: Suspect, is_new: bool
) -> float:
    """A hunk belongs to a function when the lines it keeps or adds stand in it."""
    kept = {row[1:].strip() for row in hunk.split("\n")[1:] if row[:1] in (" ", "+")}
    kept = {row for row in kept if len(row) > 6}
    best = 0.0
    for place in near:
        lines = snapshot.lines(place.path) or ()
        inside = {row.strip() for row in lines[place.first - 1 : place.last]}
        common = len(kept & inside)
        if common >= (2 if place.whole else 1) or (place.whole and common and len(kept) <= 3):
            best = max(best, place.weight)
            changed = {row[1:].strip() for row in hunk.split("\n")[1:] if row[:1] in "+-"}
            inside.discard("")
            created = len(inside & changed) > 0.6 * len(inside)
            if place.whole and not created and not is_new:
                phrase = f"changed {place.phrase}"
                suspect.add(phrase, place.weight * 0.85, place.span_ids, place.path)
    return best


def _terms_in(
    hunk: str, terms: frozenset[str], one: FileDiff, suspect: Suspect, near: bool
) -> float:
    """Names that the error quotes, added or removed by the change, tie it to the error."""
    rows = hunk.split("\n")[1:]
    added = "\n".join(row[1:] for row in rows if row.startswith("+"))
    removed = "\n".join(row[1:] for row in rows if row.startswith("-"))
    worth = 0.0
    for term in terms:
        name = re.compile(rf"(?<![\w]){re.escape(term)}(?![\w])")
        before, after = len(name.findall(removed)), len(name.findall(added))
        if before == after == 0:
            continue
        weight = (0.55 if near else 0.4) * (1.0 if before != after else 0.4)
        weight *= 0.3 if one.is_new else 1.0
        verb = "mentions" if before == after else "removes" if before > after else "adds"
        suspect.add(
            f"{verb} {term!r}, which the error names, in {one.path}",
            weight,
            (),
            one.path,
        )
        worth = max(worth, weight)
    return worth


def _changed_words(hunk: str) -> set[str]:
    rows = [row[1:] for row in hunk.split("\n")[1:] if row[:1] in ("+", "-")]
    return set(re.findall(r"[A-Za-z_]\w{2,}", "\n".join(rows)))


def only_layout(change: Change) -> bool:
    """True when every hunk says the same before and after but for layout and comments."""
    hunks = [hunk for one in change.files for hunk in one.hunks]
    return bool(hunks) and all(_same_code(hunk) for hunk in hunks)


def _same_code(hunk: str) -> bool:
    rows = hunk.split("\n")[1:]
    sides = []
    for mark in "-+":
        code = (row[1:] for row in rows if row.startswith(mark) and not _COMMENT.match(row[1:]))
        sides.append(re.sub(r"[\s,'\"()\\;]", "", "".join(code)))
    return sides[0] == sides[1]
