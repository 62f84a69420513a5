"""Prices that a project sets itself, as the pipeline uses them: which one is valid for a call.

Pure: rows of the database become these in `book`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Any
from uuid import UUID

from traces.pricing.rates import Price

NAME = "override "
"""How the price version of a span begins that an override priced; its id follows."""
WILDCARDS = "*?"


@dataclass(frozen=True, slots=True)
class Override:
    """Valid for spans that start within [from_ns, until_ns). `made_ns` orders equals."""

    id: UUID
    pattern: str
    provider: str
    price: Price
    from_ns: int
    until_ns: int
    made_ns: int

    @property
    def version(self) -> str:
        return f"{NAME}{self.id}"

    @property
    def rank(self) -> tuple[Any, ...]:
        """The more a price says of whom it means, the more it counts; then the newer one."""
        is_exact = not any(mark in self.pattern for mark in WILDCARDS)
        return is_exact, bool(self.provider), len(self.pattern), self.from_ns, self.made_ns, self.id

    def means(self, model: str, provider: str) -> bool:
        """Names in lower case."""
        if self.provider and self.provider != provider:
            return False
        return _matcher(self.pattern).match(model) is not None


def matching(overrides: Iterable[Override], model: str, provider: str) -> list[Override]:
    """Whenever they are valid, the one that counts first at the start."""
    model, provider = model.lower(), provider.lower()
    found = [override for override in overrides if override.means(model, provider)]
    return sorted(found, key=lambda override: override.rank, reverse=True)


def valid(matching_: Sequence[Override], at_ns: int) -> tuple[Override | None, int, int]:
    """Which of them counts at a moment, and from when until when that is so."""
    since, until = 0, 2**63
    for override in matching_:
        for boundary in (override.from_ns, override.until_ns):
            if boundary <= at_ns:
                since = max(since, boundary)
            else:
                until = min(until, boundary)
    chosen = next((o for o in matching_ if o.from_ns <= at_ns < o.until_ns), None)
    return chosen, since, until


@lru_cache(maxsize=4096)
def _matcher(pattern: str) -> re.Pattern[str]:
    """`*` for any text and `?` for one character; nothing else is special."""
    return re.compile(translate(pattern.lower().replace("[", "[[]")))
