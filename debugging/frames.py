"""Maps frames of a stack to files of a repository at one commit.

A production machine's path and a repository's path share their end: the longest common suffix
wins. What the stack quotes is compared with the source, so a wrong file or a drifted line is said
and not guessed. Reading stacks is in `stacks`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from debugging.stacks import Frame, is_in_app

NEARBY_LINES = 60
_VENDORED = re.compile(r"(^|/)(node_modules|site-packages|dist-packages|\.venv|venv)/")
_INSTALLED = re.compile(r"(?:^|/)(?:site-packages|dist-packages|node_modules)/(?!.*/node_modules/)")

Verification = Literal["exact", "moved", "different", "unquoted", "out of range"]
Reader = Callable[[str], tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class MappedFrame:
    """A frame with its file in the repository.

    `line` is the line at the commit (0 when unknown); `note` is a sentence for people when the
    stack and the source disagree or the file was a choice; `certainty` is from 0 to 1.
    """

    frame: Frame
    path: str
    line: int
    verification: Verification
    certainty: float
    note: str | None = None
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOutFrame:
    """A frame without a file in the repository, and why."""

    frame: Frame
    reason: Literal["vendored", "no file", "ambiguous"]


class FileIndex:
    """The paths of a commit by their last part."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._by_name: dict[str, list[tuple[str, ...]]] = {}
        for path in paths:
            if not _VENDORED.search(path):
                parts = tuple(path.split("/"))
                self._by_name.setdefault(parts[-1], []).append(parts)

    def matches(self, path: str) -> tuple[int, tuple[str, ...]]:
        """The longest common suffix in parts, and the files that have it."""
        wanted = path_parts(path)
        if not wanted:
            return 0, ()
        best, found = 0, list[str]()
        for parts in self._by_name.get(wanted[-1], ()):
            length = _common_suffix(wanted, parts)
            if length > best:
                best, found = length, []
            if length == best:
                found.append("/".join(parts))
        return best, tuple(sorted(found, key=lambda name: (name.count("/"), name)))


def path_parts(path: str) -> tuple[str, ...]:
    """The parts of a path of any machine, without drive, scheme and dots."""
    path = re.sub(r"^[a-z][a-z0-9+.-]*://", "", path.replace("\\", "/"))
    path = re.sub(r"^/?[A-Za-z]:", "", path)
    return tuple(part for part in path.split("/") if part not in ("", ".", ".."))


def map_frame(frame: Frame, index: FileIndex, read: Reader) -> MappedFrame | LeftOutFrame:
    """The file and line of `frame`; `read` gives the lines of a file at the commit, or None."""
    if not is_in_app(frame.path):
        return _map_installed(frame, index, read) or LeftOutFrame(frame, "vendored")
    length, paths = index.matches(frame.path)
    if not paths:
        return LeftOutFrame(frame, "no file")
    checked = [_check(frame, path, length, read) for path in paths[:20]]
    quoted = [one for one in checked if one.verification in ("exact", "moved")]
    best = max(quoted or checked, key=lambda one: one.certainty)
    if frame.code and length == 1 and not quoted and "/" in best.path:
        return LeftOutFrame(frame, "no file")  # only the file's name is the same, not its text
    rivals = [one for one in quoted or checked if one.certainty == best.certainty]
    if len(rivals) > 1:
        return _with_rivals(best, [one.path for one in rivals])
    if len(paths) > 1:
        note = f"{len(paths)} files end alike; this one holds the quoted line."
        return _noted(best, note, ())
    return best


def _map_installed(frame: Frame, index: FileIndex, read: Reader) -> MappedFrame | None:
    """The repository itself may run as an installed package: then the text must prove it."""
    installed = _INSTALLED.search(frame.path.replace("\\", "/"))
    if not installed or not frame.code:
        return None
    inner = frame.path.replace("\\", "/")[installed.end() :]
    length, paths = index.matches(inner)
    if length < 2 or length < len(path_parts(inner)):
        return None
    for path in paths[:5]:
        checked = _check(frame, path, length, read)
        if checked.verification == "exact":
            return _noted(checked, "The code ran as an installed package.", ())
    return None


def _check(frame: Frame, path: str, length: int, read: Reader) -> MappedFrame:
    lines = read(path)
    whole = length == path.count("/") + 1
    base = 0.9 if whole else min(0.8, 0.4 + 0.15 * length)
    if lines is None or not frame.line > 0:
        return MappedFrame(frame, path, 0, "out of range", base / 2, f"{path} cannot be read.")
    if not frame.code:
        if frame.line > len(lines):
            note = (
                f"{path} has only {len(lines)} lines at this commit, the stack says {frame.line}."
            )
            return MappedFrame(frame, path, len(lines), "out of range", base / 3, note)
        return MappedFrame(frame, path, frame.line, "unquoted", base)
    found = _find_line(frame.code, frame.line, lines)
    if found == frame.line:
        return MappedFrame(frame, path, found, "exact", min(1.0, base + 0.1))
    if found:
        note = f"The stack says line {frame.line}; the same code stands at line {found}."
        return MappedFrame(frame, path, found, "moved", base * 0.85, note)
    note = f"Line {frame.line} reads differently at this commit than in the stack."
    line = min(frame.line, len(lines))
    return MappedFrame(frame, path, line, "different", base / 2, note)


def _find_line(code: str, line: int, lines: tuple[str, ...]) -> int:
    """The line nearest to `line` that holds `code`; far away it must be the only one."""
    if line <= len(lines) and lines[line - 1].strip() == code:
        return line
    places = [number for number, text in enumerate(lines, 1) if text.strip() == code]
    near = [number for number in places if abs(number - line) <= NEARBY_LINES]
    if near:
        return min(near, key=lambda number: (abs(number - line), number))
    return places[0] if len(places) == 1 and len(code) > 12 else 0


def _with_rivals(best: MappedFrame, paths: list[str]) -> MappedFrame:
    shown = ", ".join(paths[:4]) + (" and others" if len(paths) > 4 else "")
    note = f"The path fits {len(paths)} files equally well: {shown}."
    others = tuple(path for path in paths if path != best.path)
    return _noted(best, note, others, best.certainty / len(paths))


def _noted(
    mapped: MappedFrame, note: str, others: tuple[str, ...], certainty: float | None = None
) -> MappedFrame:
    return MappedFrame(
        mapped.frame,
        mapped.path,
        mapped.line,
        mapped.verification,
        mapped.certainty if certainty is None else certainty,
        f"{note} {mapped.note}" if mapped.note else note,
        others,
    )


def _common_suffix(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    length = 0
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if one != other:
            break
        length += 1
    return length
