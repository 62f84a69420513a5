"""Reads stack traces of Python and Node.js into frames.

Text of any shape may come in, cut at either end; what cannot be read is left out. Mapping frames
to files of a repository is in `frames`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

TEXT_LIMIT_CHARS = 400_000
FRAME_LIMIT = 400
MESSAGE_LIMIT_CHARS = 4_000

Language = Literal["python", "javascript"]
Link = Literal["cause", "context", "group"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One call. `path` is as the machine wrote it; `code` is the line when the stack quotes it."""

    path: str
    line: int
    function: str | None
    code: str | None = None
    in_app_hint: bool = True


@dataclass(frozen=True, slots=True)
class StackTrace:
    """One exception with its frames, innermost last.

    `link` says what this exception was to the next one of the list: its direct cause, what was
    being handled when it was raised (context), or one of its group; None for the last.
    """

    type: str
    message: str
    frames: tuple[Frame, ...]
    language: Language
    link: Link | None = None


_PYTHON_FRAME = re.compile(r'^\s*File "([^"\n]{1,1000})", line (\d{1,9})(?:, in (.{1,300}))?\s*$')
_PYTHON_ERROR = re.compile(r"^([A-Za-z_][\w.<>]{0,200})(?:: ?(.*))?$")
_MARKERS = re.compile(r"^[\s~^]+$")
_REPEATED = re.compile(r"^\s*\[Previous line repeated \d+ more times?\]\s*$")
_GROUP_RULE = re.compile(r"^\s*\+-[+-]*-* ?(\d+ -+|\.\.\. -+|-+)\s*$")
_LINKS: tuple[tuple[str, Link], ...] = (
    ("The above exception was the direct cause of the following exception:", "cause"),
    ("During handling of the above exception, another exception occurred:", "context"),
)
_NODE_FRAME = re.compile(
    r"^\s*at (?:async )?(?:(.{1,300}?) \()?(.{1,1000}):(\d{1,9}):\d{1,9}\)?,?$"
)
_NODE_EVAL = re.compile(r"\(?eval at [^()]{1,200}\((.{1,1000}?):(\d{1,9}):\d{1,9}\)")
_NODE_PLAIN = re.compile(r"^\s*at (?:async )?.{1,300}$")
_NODE_ERROR = re.compile(
    r"^(?:Uncaught |\[cause\]: )*([A-Za-z_$][\w$.]{0,200})(?: \[\w+\])?(?:: (.*))?$"
)
_NODE_HEAD = re.compile(r"^(/.{1,1000}|file:///.{1,1000}|[A-Za-z]:\\.{1,1000}):(\d{1,9})$")
_NOT_IN_APP = re.compile(
    r"^<|^node:|(^|[/\\])(site-packages|dist-packages|node_modules)[/\\]"
    r"|(^|[/\\])lib(64)?[/\\]python\d(\.\d+)?[/\\]|[/\\]Python\d+[/\\]Lib[/\\]|^internal/"
)


def parse(text: str) -> tuple[StackTrace, ...]:
    """All exceptions in `text` in the order they were raised; the last is what was reported."""
    text = text[:TEXT_LIMIT_CHARS].replace("\r\n", "\n")
    lines = text.split("\n")
    if any(_PYTHON_FRAME.match(_ungrouped(line)) for line in lines):
        return _parse_python(lines)
    if any(_NODE_FRAME.match(line[:2000]) for line in lines):
        return _parse_node(lines)
    return ()


def is_in_app(path: str) -> bool:
    """False for the standard library, installed packages and code without a file."""
    return not _NOT_IN_APP.search(path)


class _PythonReader:
    """Walks lines once; an exception is complete when its type line has been read."""

    def __init__(self) -> None:
        self.done: list[StackTrace] = []
        self.frames: list[Frame] = []
        self.head: tuple[str, list[str]] | None = None

    def read(self, line: str) -> None:
        frame = _PYTHON_FRAME.match(line)
        if frame:
            self._finish()
            path = frame.group(1)
            self.frames.append(
                Frame(path, int(frame.group(2)), frame.group(3), None, is_in_app(path))
            )
        elif line.strip() in (label for label, _ in _LINKS):
            self._finish(dict(_LINKS)[line.strip()])
        elif "Traceback (most recent call last)" in line:
            self._finish()
        elif self.head is not None:
            self.head[1].append(line)
        elif self.frames:
            self._after_frame(line)

    def _after_frame(self, line: str) -> None:
        last = self.frames[-1]
        if not line.strip() or _REPEATED.match(line):
            return
        if line[0].isspace():
            if last.code is None and not _MARKERS.match(line):
                self.frames[-1] = Frame(
                    last.path, last.line, last.function, line.strip()[:1000], last.in_app_hint
                )
            return
        error = _PYTHON_ERROR.match(line)
        if error:
            self.head = (error.group(1), [error.group(2) or ""])

    def _finish(self, link: Link | None = None) -> None:
        if self.head is not None:
            self._add(self.head[0], "\n".join(self.head[1]), link)
            self.frames, self.head = [], None
        elif link and self.done:
            last = self.done[-1]
            self.done[-1] = StackTrace(last.type, last.message, last.frames, "python", link)

    def _add(self, kind: str, message: str, link: Link | None) -> None:
        message = message.strip()[:MESSAGE_LIMIT_CHARS]
        self.done.append(StackTrace(kind, message, _shortened(self.frames), "python", link))

    def result(self) -> tuple[StackTrace, ...]:
        self._finish()
        if self.frames:
            self._add("", "", None)
        return tuple(self.done)


def _parse_python(lines: list[str]) -> tuple[StackTrace, ...]:
    """Groups are printed before their members, so members move in front, marked `group`."""
    blocks: list[tuple[int, _PythonReader]] = [(0, _PythonReader())]
    for line in lines:
        depth = _group_depth(line)
        if _GROUP_RULE.match(line):
            if depth:
                blocks.append((depth, _PythonReader()))
            continue
        bare = _ungrouped(line)
        if depth < blocks[-1][0] and "Traceback" in bare:
            blocks.append((depth, _PythonReader()))
        blocks[-1][1].read(bare)
    members: list[StackTrace] = []
    groups: list[StackTrace] = []
    for number, (depth, reader) in enumerate(blocks):
        (groups if number == 0 or depth == 0 else members).extend(reader.result())
    links: list[tuple[StackTrace, Link]] = [(stack, stack.link or "group") for stack in members]
    links += [(stack, stack.link or "cause") for stack in groups[:-1]]
    marked = [StackTrace(s.type, s.message, s.frames, "python", link) for s, link in links]
    return (*marked, *groups[-1:])


def _group_depth(line: str) -> int:
    head = re.match(r"^( *)[|+]", line)
    return len(head.group(1)) if head else 0


def _ungrouped(line: str) -> str:
    """The line without the bars that an exception group draws in front of it."""
    bars = re.match(r"^ +[|+] ?", line)
    return line[bars.end() :] if bars else line


def _parse_node(lines: list[str]) -> tuple[StackTrace, ...]:
    quoted = _quoted_by_node(lines)
    stacks: list[StackTrace] = []
    head: list[str] = []
    frames: list[Frame] = []

    def finish() -> None:
        if frames:
            kind, message = _node_error(head)
            ordered = _shortened(list(reversed(frames)))
            stacks.append(StackTrace(kind, message, ordered, "javascript"))
            head.clear()
        frames.clear()

    for line in lines:
        line = line[:2000].rstrip(" {")
        frame = _node_frame(line, quoted)
        if frame:
            frames.append(frame)
        elif frames and not _NODE_PLAIN.match(line):
            finish()
            head.append(line)
        elif not frames:
            head.append(line)
    finish()
    # Node prints the cause below what it caused.
    ordered = list(reversed(stacks))
    linked = [StackTrace(s.type, s.message, s.frames, s.language, "cause") for s in ordered[:-1]]
    return (*linked, *ordered[-1:])


def _node_frame(line: str, quoted: dict[tuple[str, int], str]) -> Frame | None:
    evaluated = _NODE_EVAL.search(line) if " eval at " in line or "(eval at " in line else None
    found = _NODE_FRAME.match(line)
    if evaluated:
        path, number, function = evaluated.group(1), int(evaluated.group(2)), "eval"
    elif found:
        path, number = found.group(2), int(found.group(3))
        function = _node_function(found.group(1)) or ""
    else:
        return None
    path = _node_path(path)
    return Frame(path, number, function or None, quoted.get((path, number)), is_in_app(path))


def _node_path(path: str) -> str:
    path = path.removeprefix("async ").removeprefix("(")
    path = re.sub(r"^file://(?=/)", "", path)
    path = re.sub(r"^/(?=[A-Za-z]:[/\\])", "", path)
    path = re.sub(r"^webpack(-internal)?://[^/]*/", "", path)
    path = re.sub(r"^https?://[^/]+/", "", path)
    path = re.sub(r"^(\([\w-]+\)/)?\./", "", path)
    return re.sub(r"\?.*$", "", path)


def _node_function(name: str | None) -> str | None:
    if not name:
        return None
    name = re.sub(r" \[as [^\]]+\]$", "", name.removeprefix("async ").removeprefix("new "))
    return None if name in ("<anonymous>", "Object.<anonymous>", "eval") else name


def _node_error(head: list[str]) -> tuple[str, str]:
    for number, line in enumerate(head):
        error = _NODE_ERROR.match(line.strip())
        if error and (error.group(2) is not None or error.group(1).endswith("Error")):
            rest = [error.group(2) or "", *head[number + 1 :]]
            return error.group(1), "\n".join(rest).strip()[:MESSAGE_LIMIT_CHARS]
    return "", "\n".join(head).strip()[:MESSAGE_LIMIT_CHARS]


def _quoted_by_node(lines: list[str]) -> dict[tuple[str, int], str]:
    """An uncaught error is printed below `path:line` and the line itself."""
    for number, line in enumerate(lines[:20]):
        place = _NODE_HEAD.match(line.strip())
        if place and number + 1 < len(lines) and lines[number + 1].strip():
            key = (_node_path(place.group(1)), int(place.group(2)))
            return {key: lines[number + 1].strip()[:1000]}
    return {}


def _shortened(frames: list[Frame]) -> tuple[Frame, ...]:
    """Drops repeated calls of a deep recursion, and the middle of what is still too long."""
    kept: list[Frame] = []
    for frame in frames:
        if len(kept) < 3 or not (frame == kept[-1] == kept[-2] == kept[-3]):
            kept.append(frame)
    if len(kept) > FRAME_LIMIT:
        kept = kept[: FRAME_LIMIT // 4] + kept[-(FRAME_LIMIT - FRAME_LIMIT // 4) :]
    return tuple(kept)
