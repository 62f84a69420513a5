"""One commit of a repository, read lazily and remembered for the length of one rule pass."""

from __future__ import annotations

import ast
from pathlib import Path

from debugging import dataflow, functions, git, git_objects, history
from debugging.frames import FileIndex
from debugging.functions import Function

BINARY_PROBE_BYTES = 8000
BLAME_RANGE_LINES = 400


class Snapshot:
    """Files, functions and blame of `commit`; None or nothing where a file is unreadable."""

    def __init__(self, directory: Path, commit: str) -> None:
        self.directory = directory
        self.commit = commit
        self.paths = git_objects.list_files(directory, commit)
        self.index = FileIndex(self.paths)
        self.unreadable: dict[str, str] = {}
        self.definition_paths: dict[str, list[str]] = {}
        self._known = frozenset(self.paths)
        self._lines: dict[str, tuple[str, ...] | None] = {}
        self._trees: dict[str, ast.Module | None] = {}
        self._imports: dict[str, dict[str, tuple[str, str | None]]] = {}
        self._functions: dict[str, tuple[Function, ...]] = {}
        self._blame: dict[str, dict[int, history.BlameLine]] = {}
        self._asked: dict[str, list[tuple[int, int]]] = {}

    def lines(self, path: str) -> tuple[str, ...] | None:
        """The lines of a text file, or None for one that is missing, binary or too large."""
        if path not in self._lines:
            self._lines[path] = self._read(path)
        return self._lines[path]

    def functions(self, path: str) -> tuple[Function, ...]:
        if path not in self._functions:
            lines = self.lines(path) or ()
            self._functions[path] = functions.find_all(lines, path, self.tree(path))
        return self._functions[path]

    def tree(self, path: str) -> ast.Module | None:
        """The syntax tree of a Python file that parses."""
        if path not in self._trees:
            self._trees[path] = functions.parse_python(self.lines(path) or (), path)
        return self._trees[path]

    def enclosing(self, path: str, line: int) -> Function | None:
        """The innermost function around a line."""
        return functions.innermost(self.functions(path), line)

    def blame(self, path: str, first: int, last: int) -> dict[int, history.BlameLine]:
        """Blame of lines `first` to `last`, cut to what exists and to a bounded number."""
        lines = self.lines(path)
        first = max(1, first)
        last = min(last, len(_without_end(lines)), first + BLAME_RANGE_LINES)
        if lines is None or first > last:
            return {}
        known = self._blame.setdefault(path, {})
        asked = self._asked.setdefault(path, [])
        if not any(one <= first and last <= other for one, other in asked):
            found = history.blame(self.directory, self.commit, path, [(first, last)])
            known.update(found)
            asked.append((first, last))
        return {number: known[number] for number in range(first, last + 1) if number in known}

    def blame_ranges(self, path: str, ranges: list[tuple[int, int]]) -> None:
        """Reads blame of many ranges in one call, so that `blame` answers from memory."""
        count = len(_without_end(self.lines(path)))
        wanted = [
            (max(1, first), min(last, count, first + BLAME_RANGE_LINES))
            for first, last in dict.fromkeys(ranges)
            if first <= count
        ]
        if wanted:
            found = history.blame(self.directory, self.commit, path, wanted)
            self._blame.setdefault(path, {}).update(found)
            self._asked.setdefault(path, []).extend(wanted)

    def imports(self, path: str) -> dict[str, tuple[str, str | None]]:
        """What `dataflow.imported_names` finds in a Python file."""
        if path not in self._imports:
            tree = self.tree(path)
            self._imports[path] = dataflow.imported_names(tree) if tree else {}
        return self._imports[path]

    def _read(self, path: str) -> tuple[str, ...] | None:
        if path not in self._known:
            return None
        try:
            data = git_objects.read_file(self.directory, self.commit, path)
        except (git.OutputTooLarge, git.UnsafeName, git.UnknownFile) as error:
            self.unreadable[path] = str(error)
            return None
        text = decode(data)
        if text is None:
            self.unreadable[path] = f"{path} is a binary file."
            return None
        return tuple(text.split("\n"))


def decode(data: bytes) -> str | None:
    """Source text with plain line ends, or None when the bytes are not text."""
    if b"\0" in data[:BINARY_PROBE_BYTES]:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", " ").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _without_end(lines: tuple[str, ...] | None) -> tuple[str, ...]:
    """Text that ends with a line end has one empty string more than git has lines."""
    if lines and not lines[-1]:
        return lines[:-1]
    return lines or ()
