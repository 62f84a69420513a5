"""Rules that drop spans before they are stored, and their work on one request."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import msgspec

from traces.admission import infrastructure
from traces.semconv import reading
from traces.spans import Span

Match = Literal["name", "scope", "kind", "attribute", "infrastructure"]
MATCHES: tuple[Match, ...] = get_args(Match)
_MOST_MATCHED_CHARS = 1_000
"""Of a name: what is longer is matched by its beginning."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern`: a glob of a name or a scope, a kind, or the text that attribute `key` equals.

    A span that failed is kept, unless `drops_failed`.
    """

    match: Match
    pattern: str = ""
    key: str = ""
    drops_failed: bool = False

    def __str__(self) -> str:
        if self.match == "infrastructure":
            text = "infrastructure without content"
        elif self.match == "attribute":
            text = f"{self.key} = {self.pattern}"
        else:
            text = f"{self.match} {self.pattern}"
        return f"{text} (failed ones too)" if self.drops_failed else text

    def matches(self, span: Span) -> bool:
        if span.status == "error" and not self.drops_failed:
            return False
        return _MATCHERS[self.match](self, span)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a request's spans are once the rules went over them."""

    spans: Sequence[Span]
    dropped_by: Mapping[str, int]

    @property
    def dropped(self) -> int:
        return sum(self.dropped_by.values())


def apply(spans: Sequence[Span], rules: Sequence[Rule]) -> Kept:
    """Children of a dropped span move up to its parent, as far as they came with it."""
    if not rules:
        return Kept(spans, {})
    dropped: dict[tuple[bytes, bytes], Span] = {}
    counts = Counter[str]()
    kept: list[Span] = []
    for span in spans:
        rule = next((rule for rule in rules if rule.matches(span)), None)
        if rule is None:
            kept.append(span)
        else:
            dropped[span.trace_id, span.span_id] = span
            counts[str(rule)[:200]] += 1
    if not dropped:
        return Kept(spans, {})
    for span in kept:
        dropped.pop((span.trace_id, span.span_id), None)  # another copy of it stays
    for span in kept:
        _move_up(span, dropped)
    return Kept(kept, dict(counts))


def _move_up(span: Span, dropped: Mapping[tuple[bytes, bytes], Span]) -> None:
    seen = {span.span_id}  # hostile parents may form a ring
    parent = dropped.get((span.trace_id, span.parent_span_id))
    while parent is not None and parent.span_id not in seen:
        seen.add(parent.span_id)
        span.parent_span_id = parent.parent_span_id
        span.is_local_root = span.is_local_root or parent.is_local_root
        parent = dropped.get((span.trace_id, span.parent_span_id))


def _name(rule: Rule, span: Span) -> bool:
    return _glob(rule.pattern).match(span.name[:_MOST_MATCHED_CHARS]) is not None


def _scope(rule: Rule, span: Span) -> bool:
    return _glob(rule.pattern).match(_scope_name(span.scope_json)) is not None


def _attribute(rule: Rule, span: Span) -> bool:
    value = span.attributes.get(rule.key)
    return value is not None and reading.text(value) == rule.pattern


_MATCHERS: Mapping[Match, Callable[[Rule, Span], bool]] = {
    "name": _name,
    "scope": _scope,
    "kind": lambda rule, span: span.kind == rule.pattern,
    "attribute": _attribute,
    "infrastructure": lambda rule, span: infrastructure.is_infrastructure(span),
}


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    """`*` is any text, `?` one character. `fnmatch` makes of it what needs no going back."""
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))


@lru_cache(maxsize=256)
def _scope_name(scope_json: str) -> str:
    name = msgspec.json.decode(scope_json).get("name", "")
    return str(name)[:_MOST_MATCHED_CHARS]
