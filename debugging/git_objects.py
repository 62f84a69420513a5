"""Reads what lies in a repository at one commit: the list of its files, a file, lines that match.

Nothing is checked out. How git is run is in `git`; history (blame, log) is in `history`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from debugging.git import OUTPUT_LIMIT_BYTES, OutputTooLarge, check_path, check_ref, run

FILE_LIMIT_BYTES = 2 * 1024 * 1024
_REGULAR_FILE_MODES = ("100644", "100755", "100664")


@dataclass(frozen=True, slots=True)
class Match:
    """One line found by `grep`."""

    path: str
    line: int
    text: str


def list_files(directory: Path, commit: str) -> tuple[str, ...]:
    """Paths of the regular files at `commit`; symlinks and submodules are left out."""
    out = run(
        ["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", check_ref(commit)],
        directory=directory,
        output_limit_bytes=4 * OUTPUT_LIMIT_BYTES,
    )
    paths = []
    for entry in out.split(b"\0"):
        head, _, name = entry.partition(b"\t")
        if head[:6].decode("ascii", "replace") in _REGULAR_FILE_MODES:
            paths.append(name.decode("utf-8", "surrogateescape"))
    return tuple(paths)


def read_file(
    directory: Path, commit: str, path: str, *, limit_bytes: int = FILE_LIMIT_BYTES
) -> bytes:
    """The bytes of one file at `commit`; a larger file raises `OutputTooLarge`."""
    try:
        return run(
            ["cat-file", "blob", f"{check_ref(commit)}:{check_path(path)}"],
            directory=directory,
            output_limit_bytes=limit_bytes,
        )
    except OutputTooLarge as error:
        raise OutputTooLarge(f"{path} is larger than {limit_bytes} bytes.") from error


def grep(
    directory: Path, commit: str, pattern: str, *, fixed: bool = True, limit: int = 50
) -> tuple[Match, ...]:
    """Lines of text files at `commit` that hold `pattern` (POSIX extended when not `fixed`)."""
    if not pattern or "\n" in pattern or "\0" in pattern:
        return ()
    arguments = ["grep", "-n", "-z", "-I", "--full-name", "--no-textconv", "--max-count=20"]
    arguments += ["-F" if fixed else "-E", "-e", pattern, check_ref(commit), "--"]
    out = run(arguments, directory=directory, accepted_codes=(0, 1))
    found: list[Match] = []
    for row in out.split(b"\n")[: limit + 1]:
        name, _, rest = row.partition(b"\0")
        number, _, text = rest.partition(b"\0")
        path = name.partition(b":")[2].decode("utf-8", "surrogateescape")
        if path and number.isdigit() and len(found) < limit:
            found.append(Match(path, int(number), text.decode("utf-8", "replace")[:500]))
    return tuple(found)
