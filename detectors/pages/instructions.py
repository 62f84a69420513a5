"""What a judge is told, as paragraphs and list items: text wrapped by hand has line breaks amid its
sentences, which a page must not keep.
"""

from __future__ import annotations

import re

_ITEM = re.compile(r"[-*•]\s+")
# An unindented line continues one that is at least so long: nobody ends a line of a list so late.
_WRAPPED_CHARS = 60


def paragraphs(text: str) -> list[tuple[bool, str]]:
    """Whether it is a list item, and its text without line breaks."""
    found: list[tuple[bool, list[str]]] = []
    is_open = False
    for line in text.splitlines():
        words = line.strip()
        item = _ITEM.match(words)
        if not words:
            is_open = False
            continue
        if is_open and not item and _continues(line, found[-1]):
            found[-1][1].append(words)
        else:
            found.append((bool(item), [words[item.end() :] if item else words]))
        is_open = True
    return [(is_item, " ".join(lines)) for is_item, lines in found]


def _continues(line: str, before: tuple[bool, list[str]]) -> bool:
    is_item, lines = before
    return line[0].isspace() or (not is_item and len(lines[-1]) >= _WRAPPED_CHARS)
