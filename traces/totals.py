"""From the spans of a trace to its one summary: root, totals that count each token once, facts.

Pure: spans in (`trace_spans`), summaries out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import compress, islice
from typing import Any

from traces import completeness, counted_usage, previews, shares, trace_spans, unreported
from traces.spans import Usage
from traces.store.rows import TraceSummary
from traces.trace_spans import NO_LABELS, NO_PARENT, TraceSpans

Row = Mapping[str, Any]
_MAX_METADATA = 200
_MAX_TAGS = 100
CLOCK_AHEAD_SECONDS = 5 * 60
"""So far a sender's clock may run ahead of ours; one further ahead says nothing about when."""


def summarize_all(rows: Iterable[Row], *, is_running: bool) -> list[TraceSummary]:
    """One summary a trace, in no particular order."""
    by_trace: dict[tuple[Any, bytes], list[Row]] = defaultdict(list)
    for row in rows:
        by_trace[row["project_id"], row["trace_id"]].append(row)
    return [summarize(rows, is_running=is_running) for rows in by_trace.values()]


def summarize(rows: Sequence[Row], *, is_running: bool) -> TraceSummary:
    """The summary of one trace from all of its deduplicated spans (at least one)."""
    return of(trace_spans.of_rows(rows), is_running=is_running)


def of(trace: TraceSpans, *, is_running: bool) -> TraceSummary:
    """Of what the root does not say, the earliest span that does says it."""
    root = root_of(trace)
    start_ns, end_ns = _times(trace)
    decision = counted_usage.decide(trace)
    counted = decision.counted
    whole = completeness.of(trace, root)
    statuses = trace["status"]
    has_error = statuses[root] == "error" or "error" in compress(statuses, trace["is_local_root"])
    costs = [cost for at in counted if (cost := trace["cost_nano"][at]) is not None]
    answer, error = _outcome(trace, root)
    return TraceSummary(
        project_id=trace.project_id,
        trace_id=trace.trace_id,
        name=trace.first("trace_name") or trace["name"][root],
        kind=trace["kind"][root],
        status="error" if has_error else "running" if is_running else "ok",
        start_ns=start_ns,
        end_ns=end_ns,
        span_count=len(trace),
        error_count=statuses.count("error"),
        session_id=trace.first("session_id", root),
        user_id=trace.first("user_id", root),
        input_preview=previews.of(trace.first("input", root), role="user"),
        output_preview=previews.of(answer, role="assistant"),
        error_preview=error,
        environment=trace.first("environment", root),
        release=trace.first("release", root),
        service_name=trace.first("service_name", root),
        models=trace.distinct("model"),
        agents=trace.distinct("agent_name"),
        tools=trace.distinct("tool_name"),
        tags=_tags(trace, root),
        metadata=_metadata(trace, root),
        git_repo=trace.first("git_repo", root),
        git_ref=trace.first("git_ref", root),
        usage=_usage(trace, counted),
        estimated_tokens=_estimated(trace, counted),
        unreported_calls=len(unreported.to_estimate(trace)),
        cost_usd=Decimal(sum(costs)).scaleb(-9) if costs else None,
        usage_shares=shares.of(trace, decision.uncounted),
        unpriced_spans=sum(_is_unpriced(trace, at) for at in counted),
        uncounted_span_ids=decision.uncounted,
        orphan_spans=whole.missing.get("orphans", 0),
        is_rootless="root" in whole.missing,
        is_evaluation=any(trace["is_evaluation"]),
        completeness=whole.score,
        missing=whole.missing,
        infrastructure_spans=sum(map(bool, trace["is_infrastructure"])),
    )


def root_of(trace: TraceSpans) -> int:
    """Where the true root is, else the earliest local root, else the earliest span without its
    parent, else the first span."""
    parents = trace["parent_span_id"]
    if NO_PARENT in parents:
        return parents.index(NO_PARENT)
    for position, is_local_root in enumerate(trace["is_local_root"]):
        if is_local_root:
            return position
    ids = set(trace["span_id"])
    return next((at for at, parent in enumerate(parents) if parent not in ids), 0)


def texts_wanted(trace: TraceSpans) -> list[tuple[str, int]]:
    """The field and the place of each content that a summary shows, where the columns lack it.

    `input_bytes` and `output_bytes` say where there is any.
    """
    root = root_of(trace)
    wanted = []
    asked = _at(trace["input_bytes"], root, range(len(trace)))
    if asked is not None:
        wanted.append(("input", asked))
    if trace["output_bytes"][root] or trace["status"][root] != "error":
        said = _at(trace["output_bytes"], root, reversed(range(len(trace))))
        if said is not None:
            wanted.append(("output", said))
    return [(field, at) for field, at in wanted if not trace[field][at]]


def _at(sizes: Sequence[int], root: int, order: Iterable[int]) -> int | None:
    return root if sizes[root] else next((at for at in order if sizes[at]), None)


def _outcome(trace: TraceSpans, root: int) -> tuple[str, str]:
    """The answer, or of a failed run without one its error: what a child said is then no answer."""
    own = trace["output"][root]
    if own or trace["status"][root] != "error":
        return own or trace.last("output"), ""
    return "", previews.of_error(
        trace["error_type"][root] or "", trace["error_message"][root] or ""
    )


def _times(trace: TraceSpans) -> tuple[int, int]:
    """Start and end to list a trace by; its spans keep what was sent.

    Of a clock that is ahead (2200, or an overflow) only distances are believed: such a trace began
    when it was stored, and what began at a good time had ended when its last span was stored.
    `trace_list_running` says the same of the start.
    """
    starts, stored = trace["start_ns"], trace["stored_ns"]
    start_ns = starts[0]
    end_ns = max(max(trace["end_ns"]), starts[-1])
    ahead_ns = CLOCK_AHEAD_SECONDS * 10**9
    first_ns, last_ns = min(stored), max(stored)
    if start_ns > first_ns + ahead_ns:
        return first_ns, first_ns + (end_ns - start_ns)
    return start_ns, max(start_ns, min(end_ns, last_ns + ahead_ns))


def _usage(trace: TraceSpans, counted: Sequence[int]) -> Usage | None:
    reporting = [at for at in counted if trace["has_usage"][at]]
    if not reporting:
        return None
    sums = [sum(map(trace[bucket].__getitem__, reporting)) for bucket in trace_spans.TOKENS]
    return Usage(*sums)


def _estimated(trace: TraceSpans, counted: Sequence[int]) -> int:
    if True not in trace["is_estimated"]:
        return 0
    estimated = [at for at in counted if trace["is_estimated"][at]]
    buckets = (bucket for bucket in trace_spans.TOKENS if bucket != "reasoning_tokens")
    return sum(sum(map(trace[bucket].__getitem__, estimated)) for bucket in buckets)


def _is_unpriced(trace: TraceSpans, at: int) -> bool:
    if trace["cost_nano"][at] is not None or not trace["has_usage"][at]:
        return False
    return any(trace[bucket][at] for bucket in trace_spans.TOKENS if bucket != "reasoning_tokens")


def _tags(trace: TraceSpans, root: int) -> tuple[str, ...]:
    labels = [one for one in trace["labels"] if one is not None]
    own = (trace["labels"][root] or NO_LABELS).tags or next((s.tags for s in labels if s.tags), ())
    tags = [*own, *(tag for one in labels for tag in one.trace_tags)]
    return tuple(dict.fromkeys(tags))[:_MAX_TAGS]


def _metadata(trace: TraceSpans, root: int) -> dict[str, str]:
    labels = [one for one in trace["labels"] if one is not None]
    own = (trace["labels"][root] or NO_LABELS).metadata
    merged = dict(own or next((one.metadata for one in labels if one.metadata), {}))
    for one in labels:
        merged.update(one.trace_metadata)
    return dict(islice(merged.items(), _MAX_METADATA))
