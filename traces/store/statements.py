"""The named queries: one `.sql` file each, read once. Their slots take fixed fragments only."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_DIRECTORY = Path(__file__).parent / "queries"


@cache
def text(name: str) -> str:
    return (_DIRECTORY / f"{name}.sql").read_text()


def with_filter(name: str, fragments: tuple[str, ...] = (), *, value: str = "") -> str:
    """The query with its slots filled, with literals of our code, never a user's text.

    `{filter}` narrows, `{value}` is the expression that a query groups by.
    """
    filled = text(name).replace("{value}", value)
    return filled.replace("{filter}", " ".join(f"AND ({fragment})" for fragment in fragments))
