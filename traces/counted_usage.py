"""Which spans' usage adds up to a trace's, so that each token counts once.

A span that wraps reporting spans restates them: the larger of the two sides counts, never both. A
model call that leads to another one through a tool or agent is a call of its own. What was reported
counts before what was estimated, however large that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from traces import nesting, unreported
from traces.nesting import CALLS, WORK_BETWEEN
from traces.trace_spans import TraceSpans

_MAX_DEPTH = 1_000
_Weight = tuple[int, int]
"""Tokens, then billionths of a dollar: any token outweighs any money."""
_NOTHING: _Weight = (0, 0)


@dataclass(frozen=True, slots=True)
class Decision:
    """Positions of the spans that count, and the ids of those that only restate them or are
    estimates of what they report."""

    counted: list[int]
    uncounted: frozenset[bytes]


def decide(trace: TraceSpans) -> Decision:
    weights = _weights(trace)
    estimates = unreported.overruled(trace)
    for position in estimates:
        weights[position] = None
    overruled = frozenset(trace["span_id"][position] for position in estimates)
    reporting = [position for position, weight in enumerate(weights) if weight is not None]
    if not _any_wraps_another(trace, reporting):
        return Decision(reporting, overruled)
    found = _Walk(trace, weights).decide()
    return Decision(found.counted, found.uncounted | overruled)


def _weights(trace: TraceSpans) -> list[_Weight | None]:
    """What each span reports: tokens, and money only where there are no tokens to compare."""
    weights: list[_Weight | None] = []
    for has_usage, read, hit, short, long, out, cost in zip(
        trace["has_usage"],
        trace["uncached_input_tokens"],
        trace["cache_read_tokens"],
        trace["cache_write_5m_tokens"],
        trace["cache_write_1h_tokens"],
        trace["output_tokens"],
        trace["cost_nano"],
        strict=True,
    ):
        if has_usage:
            weights.append((read + hit + short + long + out, 0))
        else:
            weights.append((0, cost) if cost is not None else None)
    return weights


def _any_wraps_another(trace: TraceSpans, reporting: Sequence[int]) -> bool:
    """Whether one reporting span is above another one, or above itself."""
    ids, parents = trace["span_id"], trace["parent_span_id"]
    reports = {ids[position] for position in reporting}
    above = dict(zip(ids, parents, strict=True))
    passed: set[bytes] = set()
    for position in reporting:
        parent = parents[position]
        for _ in range(_MAX_DEPTH):
            if parent in reports:
                return True
            if parent in passed or parent not in above:
                break
            passed.add(parent)
            parent = above[parent]
        else:
            return True
    return False


@dataclass(slots=True)
class _Reported:
    """What counts at or below a span: of model calls no work stands before, and of all the rest."""

    open: _Weight = _NOTHING
    sealed: _Weight = _NOTHING
    open_spans: int = 0
    sealed_spans: int = 0


class _Walk:
    """Two walks, each over every span once: upwards to decide which side is larger, downwards to
    leave out what the decisions have replaced."""

    def __init__(self, trace: TraceSpans, weights: Sequence[_Weight | None]) -> None:
        self._ids: list[bytes] = trace["span_id"]
        self._kinds: list[str] = trace["kind"]
        self._weights = weights
        self._order = nesting.from_the_top(self._ids, trace["parent_span_id"])

    def decide(self) -> Decision:
        wins = self._winners()
        counted: list[int] = []
        uncounted: set[bytes] = set()
        # Of each parent: is everything below it left out, and what no work stands before?
        left_out: dict[bytes, tuple[bool, bool]] = {}
        for position, parent in self._order:
            all_out, open_out = left_out[parent] if parent else (False, False)
            span_id, kind = self._ids[position], self._kinds[position]
            win = wins[span_id]
            if win is not None:
                if win and not (all_out or open_out):
                    counted.append(position)
                else:
                    uncounted.add(span_id)
            if win and kind in CALLS:
                open_out = True
            elif win:
                all_out = True
            # What is under work counts for itself, unless a wrapper has replaced everything.
            left_out[span_id] = (all_out, open_out and kind not in WORK_BETWEEN)
        return Decision(counted, frozenset(uncounted))

    def _winners(self) -> dict[bytes, bool | None]:
        """Of each span: does it outweigh what it restates; None when it reports nothing."""
        wins: dict[bytes, bool | None] = {}
        sums: dict[bytes, _Reported] = {}
        for position, parent in reversed(self._order):
            span_id, kind, own = (
                self._ids[position],
                self._kinds[position],
                self._weights[position],
            )
            found = sums.pop(span_id, None) or _Reported()
            wins[span_id] = None if own is None else _outweighs(kind, own, found)
            if own is not None and wins[span_id]:
                if kind not in CALLS:
                    found.sealed, found.sealed_spans = _NOTHING, 0
                found.open, found.open_spans = own, 1
            elif kind in WORK_BETWEEN:
                found.sealed = _plus(found.sealed, found.open)
                found.sealed_spans += found.open_spans
                found.open, found.open_spans = _NOTHING, 0
            if parent:
                _add(sums.setdefault(parent, _Reported()), found)
        return wins


def _outweighs(kind: str, own: _Weight, under: _Reported) -> bool:
    if kind in CALLS:
        return not under.open_spans or own > under.open
    return not (under.open_spans or under.sealed_spans) or own > _plus(under.open, under.sealed)


def _add(total: _Reported, found: _Reported) -> None:
    total.open, total.sealed = _plus(total.open, found.open), _plus(total.sealed, found.sealed)
    total.open_spans += found.open_spans
    total.sealed_spans += found.sealed_spans


def _plus(one: _Weight, other: _Weight) -> _Weight:
    return one[0] + other[0], one[1] + other[1]
