"""Source for the page: lines with highlighting classes, blame and marks.

The HTML here is the only HTML made from a repository's text: Pygments escapes it, and what it
cannot colour is escaped by us. Colours come from a style sheet; nothing is inline.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_for_filename
from pygments.lexers.special import TextLexer

from debugging.report import BlamedBy

HIGHLIGHT_LIMIT_CHARS = 300_000
LINE_LIMIT_CHARS = 2_000
CLASS_PREFIX = "hl-"
# These reorder or hide text on screen, so that code reads differently than it runs.
_HIDDEN = re.compile("[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line. `html` is safe to show as it is; `first_of_blame` is False when the line above
    has the same commit, so that the page says it once."""

    number: int
    html: str
    marks: tuple[str, ...]
    blame: BlamedBy | None
    first_of_blame: bool


@dataclass(frozen=True, slots=True)
class SourceView:
    """Lines of one file at one commit."""

    path: str
    language: str
    lines: tuple[SourceLine, ...]
    total_lines: int


def show(
    text: str,
    path: str,
    *,
    first: int = 1,
    last: int | None = None,
    marks: Mapping[int, Sequence[str]] | None = None,
    blame: Mapping[int, BlamedBy] | None = None,
) -> SourceView:
    """Lines `first` to `last` of `text`; `marks` are class names by line, as "failing"."""
    plain = _plain_lines(text)
    lexer = _lexer(path)
    coloured = _highlighted(plain, lexer)
    first, last = max(1, first), min(len(plain), last or len(plain))
    lines: list[SourceLine] = []
    before: str | None = None
    for number in range(first, last + 1):
        by = (blame or {}).get(number)
        sha = by.sha if by else None
        named = tuple(mark for mark in (marks or {}).get(number, ()) if mark.isidentifier())
        shown = _revealed(coloured[number - 1])
        lines.append(SourceLine(number, shown, named, by, by is not None and sha != before))
        before = sha
    return SourceView(path, str(lexer.name), tuple(lines), len(plain))


def stylesheet(style: str = "default", scope: str = ".source") -> str:
    """The rules for the classes that `show` uses, for a style of Pygments."""
    formatter = HtmlFormatter(style=style, classprefix=CLASS_PREFIX)
    return str(formatter.get_style_defs(scope))  # type: ignore[no-untyped-call]


def _plain_lines(text: str) -> list[str]:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", " ")
    lines = text.split("\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return [_cut(line) for line in lines]


def _cut(line: str) -> str:
    return line if len(line) <= LINE_LIMIT_CHARS else f"{line[:LINE_LIMIT_CHARS]}…"


def _lexer(path: str) -> Lexer:
    """By the name only: guessing from the text would run every lexer over hostile input."""
    found = find_lexer_class_for_filename(path.rpartition("/")[2])
    lexer: Lexer = (found or TextLexer)(stripnl=False, ensurenl=True)
    return lexer


def _highlighted(lines: list[str], lexer: Lexer) -> list[str]:
    text = "\n".join(lines)
    if len(text) <= HIGHLIGHT_LIMIT_CHARS:
        formatter = HtmlFormatter(nowrap=True, classprefix=CLASS_PREFIX)
        coloured = highlight(text, lexer, formatter).split("\n")
        if len(coloured) == len(lines) + 1 and not coloured[-1]:
            coloured.pop()
        if len(coloured) == len(lines):
            return coloured
    return [html.escape(line) for line in lines]


def _revealed(shown: str) -> str:
    return _HIDDEN.sub(
        lambda found: f'<span class="{CLASS_PREFIX}hidden">U+{ord(found.group()):04X}</span>', shown
    )
