"""Applies a patch of search-and-replace hunks to a text."""

from __future__ import annotations

from dataclasses import dataclass

CONTEXT_LINES = 1


class PatchRefused(Exception):
    """A hunk does not fit the file; the message is for the model to read."""


@dataclass(frozen=True, slots=True)
class Hunk:
    before: tuple[str, ...]
    after: tuple[str, ...]


def apply(text: str, hunk: Hunk) -> tuple[str, str]:
    """The new text, and the changed place with its surroundings."""
    lines = text.splitlines()
    start = _find(lines, hunk)
    end = start + len(hunk.before)
    new = [*lines[:start], *hunk.after, *lines[end:]]
    return "\n".join(new) + "\n", _excerpt(new, start, start + len(hunk.after))


def _find(lines: list[str], hunk: Hunk) -> int:
    size = len(hunk.before)
    places = [n for n in range(len(lines)) if tuple(lines[n : n + size]) == hunk.before]
    if len(places) != 1:
        raise PatchRefused(f"The lines to replace occur {len(places)} times; they must occur once.")
    return places[0]


def _excerpt(lines: list[str], start: int, end: int) -> str:
    first = max(0, start - CONTEXT_LINES)
    return "\n".join(f"{n + 1}: {lines[n]}" for n in range(first, end + CONTEXT_LINES))
