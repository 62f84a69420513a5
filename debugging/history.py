"""Reads the history of lines, functions and files of a bare repository.

Only what changed and when; what a change means for a failure is decided in `culprits`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from debugging import git

_FORMAT = "--format=%x01%H%x00%an%x00%ct%x00%P%x00%s"
_BLAME_HEAD = re.compile(r"^([0-9a-f]{40,64}) (\d+) (\d+)(?: \d+)?$")
DIFF_LIMIT_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Commit:
    """`date` is when it was committed, which is nearer to when it ran than when it was written."""

    sha: str
    author: str
    date: datetime
    subject: str
    parents: int = 1


@dataclass(frozen=True, slots=True)
class BlameLine:
    """The last change of one line; `original_line` is its number in that commit."""

    line: int
    commit: Commit
    original_path: str
    original_line: int


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What one commit did to one file."""

    path: str
    old_path: str | None
    hunks: tuple[str, ...]
    added: int
    removed: int
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A commit with the diffs of the files that were asked for."""

    commit: Commit
    files: tuple[FileDiff, ...] = ()


def blame(
    directory: Path,
    commit: str,
    path: str,
    ranges: list[tuple[int, int]],
    *,
    ignored: tuple[str, ...] = (),
) -> dict[int, BlameLine]:
    """Who last changed the lines in `ranges`; whitespace and moves inside the file are ignored,
    and so are the commits in `ignored` (full ids)."""
    if not ranges:
        return {}
    options = [f"-L{first},{last}" for first, last in ranges]
    options += [f"--ignore-rev={git.check_ref(sha)}" for sha in ignored]
    arguments = [
        "blame",
        "--porcelain",
        "-w",
        "-M",
        *options,
        git.check_ref(commit),
        "--",
    ]
    out = git.run([*arguments, git.check_path(path)], directory=directory)
    return _read_blame(out.decode("utf-8", "replace"))


def recent(directory: Path, commit: str, *, limit: int, path: str | None = None) -> list[Commit]:
    """The last commits before and at `commit`, of one file when `path` is given."""
    arguments = ["log", f"-n{limit}", "--no-ext-diff", _FORMAT, "--no-mailmap"]
    arguments += ["--end-of-options", git.check_ref(commit), "--"]
    if path is not None:
        arguments.append(git.check_path(path))
    out = git.run(arguments, directory=directory)
    return [change.commit for change in _read_changes(out.decode("utf-8", "replace"))]


def of_lines(
    directory: Path, commit: str, path: str, first: int, last: int, *, limit: int
) -> list[Change]:
    """The commits that changed lines `first` to `last`, followed backwards, with their hunks."""
    arguments = [
        "log",
        f"-n{limit}",
        f"-L{first},{last}:{git.check_path(path)}",
        "-w",
        _FORMAT,
    ]
    arguments += ["--no-ext-diff", "--no-textconv", "--no-mailmap", "--end-of-options"]
    out = git.run(
        [*arguments, git.check_ref(commit), "--"],
        directory=directory,
        output_limit_bytes=DIFF_LIMIT_BYTES,
    )
    return _read_changes(out.decode("utf-8", "replace"))


def diffs(directory: Path, shas: list[str], paths: list[str] | None = None) -> list[Change]:
    """What each of `shas` changed, in one call; all files when `paths` is None."""
    if not shas:
        return []
    arguments = [
        "log",
        "--no-walk=unsorted",
        "-p",
        "-w",
        "-U3",
        "-m",
        "--first-parent",
        _FORMAT,
    ]
    arguments += [
        "--no-ext-diff",
        "--no-textconv",
        "--no-mailmap",
        "--root",
        "--no-color",
    ]
    arguments += ["--end-of-options", *(git.check_ref(sha) for sha in shas), "--"]
    arguments += [git.check_path(path) for path in paths or ()]
    out = git.run(arguments, directory=directory, output_limit_bytes=DIFF_LIMIT_BYTES)
    return _read_changes(out.decode("utf-8", "replace"))


def _read_blame(text: str) -> dict[int, BlameLine]:
    commits: dict[str, dict[str, str]] = {}
    lines: dict[int, BlameLine] = {}
    sha, original, final = "", 0, 0
    path = ""
    for row in text.split("\n"):
        head = _BLAME_HEAD.match(row)
        if row.startswith("\t"):
            known = commits[sha]
            lines[final] = BlameLine(
                final, _blamed(sha, known), known.get("filename", path), original
            )
        elif head:
            sha, original, final = head.group(1), int(head.group(2)), int(head.group(3))
            commits.setdefault(sha, {})
        elif sha:
            key, _, value = row.partition(" ")
            commits[sha][key] = value
    return lines


def _blamed(sha: str, known: dict[str, str]) -> Commit:
    return Commit(
        sha,
        known.get("author", "")[:200],
        _instant(known.get("committer-time", "0")),
        known.get("summary", "")[:500],
        0 if "boundary" in known else 1,
    )


def _read_changes(text: str) -> list[Change]:
    changes = []
    # Lines of a diff never start with this character, so no file can forge a commit.
    for block in re.split(r"(?m)^\x01", text)[1:]:
        head, _, body = block.partition("\n")
        parts = head.split("\0")
        if len(parts) != 5:
            continue
        sha, author, seconds, parents, subject = parts
        commit = Commit(sha, author[:200], _instant(seconds), subject[:500], len(parents.split()))
        changes.append(Change(commit, tuple(_read_diffs(body))))
    return changes


def _read_diffs(text: str) -> list[FileDiff]:
    found = []
    for block in re.split(r"(?m)^diff --git ", text)[1:]:
        head, *hunks = re.split(r"(?m)^(?=@@ )", block)
        new = re.search(r"(?m)^\+\+\+ (?:b/)?(.*)$", head)
        old = re.search(r"(?m)^--- (?:a/)?(.*)$", head)
        if not new or not old:
            continue
        lines = [line for hunk in hunks for line in hunk.split("\n")[1:]]
        added = sum(line.startswith("+") for line in lines)
        removed = sum(line.startswith("-") for line in lines)
        before = old.group(1).rstrip("\t")
        after = new.group(1).rstrip("\t")
        path = before if after == "/dev/null" else after
        previous = None if before in ("/dev/null", path) else before
        shown = tuple(hunk.rstrip("\n") for hunk in hunks)
        is_new = before == "/dev/null"
        found.append(FileDiff(path, previous, shown, added, removed, is_new))
    return found


def _instant(seconds: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
