"""What a check is: a rule without a model that sees every settled trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from detectors.verdicts import Verdict
from traces.call_facts import CallFacts
from traces.spans import Span

Config = Mapping[str, object]


class Check(Protocol):
    """`slug` names it in the database, so it never changes. `examine` gets the deduplicated spans
    of one trace in order of start; it reads nothing else and never raises for odd content."""

    slug: str
    name: str
    looks_for: str
    severity: str

    def passes(self, calls: CallFacts, config: Config) -> str:
        """Of a trace that `examine` could not but pass, by what is known without reading it, the
        summary of that verdict; else empty. Never more than `examine` passes."""
        ...

    def examine(self, spans: Sequence[Span], config: Config) -> Verdict: ...
