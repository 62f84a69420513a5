"""Why the engine did not do it, in few words: for log lines and for people, not for programs.

The driver's own texts hold whole addresses with every setting of the request, so that the reason
is at the end of a very long line, or beyond it.
"""

from __future__ import annotations

import re

_LONGEST = 300
# Around the words of the engine: what the driver adds to them.
_ADDED = re.compile(
    r"^Received ClickHouse exception, code: \d+, server response: |\s*\(for url [^)]*\)$"
)
_FROM_THE_ENGINE = "ClickHouse exception"


def brief(error: BaseException) -> str:
    """The engine's own words, or of a connection that failed what the system says about it."""
    text = " ".join(str(error).split())
    if _FROM_THE_ENGINE not in text:
        text = _of_connection(error) or text
    return _ADDED.sub("", text)[:_LONGEST]


def _of_connection(error: BaseException) -> str:
    """Of the first failure in the chain that the network's layer raised; empty without one."""
    said = ""
    each: BaseException | None = error
    while each is not None:
        if isinstance(each, OSError):
            said = each.strerror or " ".join(str(each).split()) or type(each).__name__
        each = each.__cause__ or each.__context__
    return said
