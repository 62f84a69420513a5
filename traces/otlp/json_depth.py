"""Makes a JSON trace request readable that nests deeper than a parser goes: what lies deeper than
any span's values may is left out, and what it was part of will say that it was cut.

Only for requests that failed to parse; it looks at brackets and strings, and knows nothing of OTLP.
"""

from __future__ import annotations

import re

from traces.otlp import deep_values
from traces.otlp.decoded import MAX_DEPTH, MalformedBody

# A level of a kvlist is four brackets, and the first lies twelve deep (in an event's attributes):
# what is left out below that is always deeper than MAX_DEPTH, where values are cut.
MAX_BRACKETS = 4 * (MAX_DEPTH + 2) + 12
# Strings end where they end, or with the body; possessive, so that nothing is read twice.
_TOKEN = re.compile(rb'[][{}]|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_OPENING, _QUOTE = frozenset(b"[{"), ord('"')
# Some seconds' work; a request that has more is far beyond the number of spans it may have.
_MAX_TOKENS = 15_000_000


def cut(body: bytes) -> bytes:
    """`body` with a text that says how much it was for all that is nested deeper than MAX_BRACKETS.

    Raises MalformedBody when its brackets do not close, or are too many to look at.
    """
    pieces: list[bytes] = []
    kept = depth = opened = 0
    for count, token in enumerate(_TOKEN.finditer(body)):
        start = token.start()
        first = body[start]
        if count == _MAX_TOKENS:
            raise MalformedBody("the JSON is nested too deep, and too large to look for where")
        if first == _QUOTE:
            continue
        if first in _OPENING:
            if depth == MAX_BRACKETS:
                pieces.append(body[kept:start])
                opened = start
            depth += 1
        else:
            depth -= 1
            if depth == MAX_BRACKETS:
                kept = start + 1
                pieces.append(f'"{deep_values.unread(kept - opened)}"'.encode())
    if depth:
        raise MalformedBody("the JSON is nested too deep")
    pieces.append(body[kept:])
    return b"".join(pieces)
