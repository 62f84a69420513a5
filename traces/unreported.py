"""Which model calls of a trace report no usage, so that it can be estimated from their texts.

Never where somebody else reports it: a wrapper round a counted call, or a call below an agent that
reports the usage of its whole run. Then an estimate would count the same tokens twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from traces import nesting
from traces.nesting import CALLS, WORK_BETWEEN
from traces.trace_spans import TraceSpans


def to_estimate(trace: TraceSpans) -> list[int]:
    """Positions of the calls to estimate: with text, ended, no usage, and nobody's wrapper.

    Of calls in one another without work between only the innermost.
    """
    wanted = [at for at in _silent_calls(trace) if _is_worth_it(trace, at)]
    if not wanted:
        return []
    reports = _reports(trace)
    return _Relatives(trace, reports, frozenset(wanted)).unrelated()


def overruled(trace: TraceSpans) -> list[int]:
    """Positions of estimates that count no more, because usage of the same was reported since."""
    if True not in trace["is_estimated"]:
        return []
    estimated = [at for at, one in enumerate(trace["is_estimated"]) if one]
    standing = _Relatives(trace, _reports(trace), frozenset(estimated)).unrelated(innermost=False)
    return sorted(set(estimated).difference(standing))


def _silent_calls(trace: TraceSpans) -> list[int]:
    return [
        at
        for at, (kind, has_usage, cost) in enumerate(
            zip(trace["kind"], trace["has_usage"], trace["cost_nano"], strict=True)
        )
        if kind in CALLS and not has_usage and cost is None
    ]


def _is_worth_it(trace: TraceSpans, at: int) -> bool:
    """A call that failed without an answer is not billed; one that has not ended may still report.

    Of an embedding the input counts alone.
    """
    has_input, has_output = bool(_size(trace, "input", at)), bool(_size(trace, "output", at))
    if not trace["end_ns"][at] or (trace["status"][at] == "error" and not has_output):
        return False
    return has_input or (has_output and trace["kind"][at] != "embedding")


def _size(trace: TraceSpans, side: str, at: int) -> object:
    sizes = trace.columns.get(f"{side}_bytes")
    return sizes[at] if sizes is not None else trace[side][at]


def _reports(trace: TraceSpans) -> list[bool]:
    return [
        not is_estimated and bool(has_usage or cost is not None)
        for is_estimated, has_usage, cost in zip(
            trace["is_estimated"], trace["has_usage"], trace["cost_nano"], strict=True
        )
    ]


class _Relatives:
    """Two walks, each over every span once: what reports above, and what reports or is to be
    estimated below."""

    def __init__(self, trace: TraceSpans, reports: Sequence[bool], wanted: frozenset[int]) -> None:
        self._ids: list[bytes] = trace["span_id"]
        self._kinds: list[str] = trace["kind"]
        self._reports = reports
        self._wanted = wanted
        self._order = nesting.from_the_top(self._ids, trace["parent_span_id"])

    def unrelated(self, *, innermost: bool = True) -> list[int]:
        """Those of the wanted that neither restate a reporting span nor are restated by one; nor,
        `innermost`, wrap another of them."""
        free = self._wanted - self._reported_above()
        found: list[int] = []
        below: set[bytes] = set()  # parents of what restates or would restate them
        for position, parent in reversed(self._order):
            span_id, kind = self._ids[position], self._kinds[position]
            speaks = self._reports[position]
            if position in free and span_id not in below:
                found.append(position)
                speaks = speaks or innermost
            is_open = span_id in below and kind not in WORK_BETWEEN
            if parent and (speaks or is_open):
                below.add(parent)
        return sorted(found)

    def _reported_above(self) -> frozenset[int]:
        """Below what restates everything, or below a call without work between."""
        above: dict[bytes, tuple[bool, bool]] = {}
        found: set[int] = set()
        for position, parent in self._order:
            all_said, open_said = above[parent] if parent else (False, False)
            if all_said or open_said:
                found.add(position)
            kind = self._kinds[position]
            if self._reports[position] and kind in CALLS:
                open_said = True
            elif self._reports[position]:
                all_said = True
            above[self._ids[position]] = (all_said, open_said and kind not in WORK_BETWEEN)
        return frozenset(found)
