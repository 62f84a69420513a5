"""How whole a trace is: what seems to be missing, and a score from 0 to 100 for it.

A hint to the reader, not a verdict: a gap may be a person who thinks, and an agent may well start a
span in a process that is not traced.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from traces.trace_spans import NO_PARENT, TraceSpans

GAP_SECONDS = 5.0
GAP_SHARE = 0.2
"""So long, and so much of its run, must a stretch be in which nothing was traced to be a gap."""
_ROOTLESS = 0.7
_NS = 10**9


@dataclass(frozen=True, slots=True)
class Completeness:
    """`missing` names what is not there and how often: `root`, `orphans` (spans whose parent is
    missing), `parents` (how many those are), `unended`, `gaps` and `gap_seconds`."""

    score: int = 100
    missing: dict[str, int] = field(default_factory=dict)


def of(trace: TraceSpans, root: int) -> Completeness:
    """`root` is the position of the span that stands for the trace.

    The score is 100 times the shares of spans that have their parent and of spans that have ended,
    of the run that something was traced in, and 0.7 where no span is a root.
    """
    ids, ends = trace["span_id"], trace["end_ns"]
    known = {*ids, NO_PARENT}
    orphans = [
        parent
        for parent, is_root in zip(trace["parent_span_id"], trace["is_local_root"], strict=True)
        if parent not in known and not is_root
    ]
    is_rootless = not any(trace["is_local_root"])
    unended = ends.count(0)
    gaps = _gaps(trace, root)
    whole_ns = max(1, ends[root] - trace["start_ns"][root])
    missing = {
        "root": int(is_rootless),
        "orphans": len(orphans),
        "parents": len(set(orphans)),
        "unended": unended,
        "gaps": len(gaps),
        "gap_seconds": sum(gaps) // _NS,
    }
    missing = {name: count for name, count in missing.items() if count}
    if not missing:
        return Completeness()
    share = (1 - len(orphans) / len(ids)) * (1 - unended / len(ids))
    share *= (1 - sum(gaps) / whole_ns) * (_ROOTLESS if is_rootless else 1)
    return Completeness(min(99, max(0, round(100 * share))), missing)


def _gaps(trace: TraceSpans, root: int) -> list[int]:
    """Nanoseconds of each long stretch of the root in which no span without children ran.

    What has children is traced by them. A root without any is a whole trace.
    """
    starts, ends = trace["start_ns"], trace["end_ns"]
    began, ended = starts[root], ends[root]
    least = max(int(GAP_SECONDS * _NS), int(GAP_SHARE * (ended - began)))
    if len(starts) == 1 or ended - began < least:
        return []
    parents = set(trace["parent_span_id"])
    gaps = []
    covered = began
    for position, (start, span_id) in enumerate(zip(starts, trace["span_id"], strict=True)):
        if position == root or span_id in parents:
            continue
        if min(start, ended) - covered >= least:
            gaps.append(min(start, ended) - covered)
        covered = max(covered, ends[position] or start)
    if ended - covered >= least:
        gaps.append(ended - covered)
    return gaps
