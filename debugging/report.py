"""The report of a rule pass: ranked places and changes, each with its reasons.

Plain data for pages, the API and scripts; how it comes about is in `rule_pass`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is on the list; `span_ids` are the spans that say so."""

    text: str
    span_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlamedBy:
    """The last change of a line."""

    sha: str
    author: str
    date: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class ExcerptLine:
    """One line of source at the commit that was read."""

    number: int
    text: str
    blame: BlamedBy | None


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the source, best first; `score` is from 0 to 1 and only compares."""

    path: str
    line: int
    function: str | None
    score: float
    reasons: tuple[Reason, ...]
    excerpt: tuple[ExcerptLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Culprit:
    """A commit that may have caused the failure. `hunk` is the part of its diff that speaks."""

    sha: str
    author: str
    date: datetime
    subject: str
    score: float
    reasons: tuple[Reason, ...]
    path: str | None = None
    hunk: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """`abstained` says why nothing was found; then there are no locations or culprits."""

    trace_id: str
    commit: str | None
    requested_ref: str | None
    drift: str | None
    summary: str
    locations: tuple[Location, ...] = ()
    culprits: tuple[Culprit, ...] = ()
    notes: tuple[str, ...] = ()
    abstained: str | None = None

    def to_json(self) -> dict[str, object]:
        """Values that `json.dumps` takes: dates as ISO 8601, tuples as lists."""
        value: dict[str, object] = json.loads(json.dumps(asdict(self), default=_plain))
        return {"version": FORMAT_VERSION, **value}


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a report")
