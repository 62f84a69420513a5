"""The named queries: one `.sql` file each, read once. `{filter}` takes fixed fragments only."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_DIRECTORY = Path(__file__).parent / "queries"


@cache
def text(name: str) -> str:
    return (_DIRECTORY / f"{name}.sql").read_text()


def with_filter(name: str, fragments: tuple[str, ...] = ()) -> str:
    """The query with its `{filter}` slot filled, with literals of our code, never a user's text."""
    return text(name).replace("{filter}", " ".join(f"AND ({fragment})" for fragment in fragments))
