"""The background run: finds settled traces with calls that report no usage, and estimates it.

What is done is written in the store alone: a trace's row says how many of its calls wait. A run
that was killed is made good by the next one, and one that has nothing to do writes nothing.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from uuid import UUID

from traces import unreported
from traces.deletion import tombstones
from traces.estimates import counting, tokenizer
from traces.models import CostRule
from traces.pricing import quotes
from traces.spans import ESTIMATED, Span
from traces.store.errors import QueryTooLarge, StoreRejected
from traces.store.reads.estimated import EstimatedSpans, Unreported
from traces.store.reads.rewriting import SpanKey
from traces.store.system import SystemReader, ToEstimate
from traces.trace_spans import TraceSpans

log = logging.getLogger(__name__)

SHORT_LOOKBACK_SECONDS = 30 * 60
LONG_LOOKBACK_SECONDS = 24 * 3600
WAIT_SECONDS = 60
"""So long after a trace has settled: counts that come late come in this time, mostly."""
MAX_SECONDS = 20.0
_A_PROJECT = 500
_TRACES = 5_000
# Read and written at once.
_TRACES_AT_ONCE = 20
_SPANS_AT_ONCE = 20_000
_CALLS_AT_ONCE = 200
_CHARS_AT_ONCE = 8_000_000


def run(
    *,
    lookback_seconds: int = SHORT_LOOKBACK_SECONDS,
    wait_seconds: int = WAIT_SECONDS,
    max_seconds: float = MAX_SECONDS,
) -> int:
    """Estimates what traces that settled within the look-back do not report; returns how many
    calls.

    Stops after `max_seconds`, the next run goes on. Raises StoreUnavailable and EncodingMissing.
    """
    deadline = time.monotonic() + max_seconds
    traces = SystemReader().to_estimate(
        lookback_seconds=lookback_seconds,
        wait_seconds=wait_seconds,
        without=_switched_off(),
        a_project=_A_PROJECT,
        limit=_TRACES,
    )
    count = 0
    try:
        for project_id, portion in _in_turns(traces):
            count += _estimate(EstimatedSpans(project_id), portion)
            if time.monotonic() > deadline:
                break
    finally:
        tokenizer.release()
    if count:
        log.info("traces.estimated calls=%d", count)
    return count


def _switched_off() -> list[UUID]:
    rules = CostRule.objects.filter(estimates_tokens=False)
    return list(rules.values_list("project_id", flat=True))


def _in_turns(traces: Sequence[ToEstimate]) -> Iterator[tuple[UUID, list[bytes]]]:
    """A portion of each project after the other, so that none waits for all of another's."""
    waiting: dict[UUID, deque[ToEstimate]] = {}
    for trace in traces:
        waiting.setdefault(trace.project_id, deque()).append(trace)
    while waiting:
        for project_id, left in list(waiting.items()):
            yield project_id, _portion(left)
            if not left:
                del waiting[project_id]


def _portion(left: deque[ToEstimate]) -> list[bytes]:
    taken = [left.popleft()]
    spans = taken[0].spans
    while left and len(taken) < _TRACES_AT_ONCE and spans + left[0].spans <= _SPANS_AT_ONCE:
        spans += left[0].spans
        taken.append(left.popleft())
    return [trace.trace_id for trace in taken]


def _estimate(reads: EstimatedSpans, trace_ids: Sequence[bytes]) -> int:
    """Halves what the store refuses, down to one trace, which is then left as it is."""
    try:
        return _together(reads, trace_ids)
    except (QueryTooLarge, StoreRejected) as error:
        if len(trace_ids) == 1:
            log.error("traces.estimate_refused trace=%s reason=%s", trace_ids[0].hex(), error)
            return 0
    middle = len(trace_ids) // 2
    return sum(_estimate(reads, half) for half in (trace_ids[:middle], trace_ids[middle:]))


def _together(reads: EstimatedSpans, trace_ids: Sequence[bytes]) -> int:
    calls = [call for trace in reads.traces(trace_ids) for call in _calls(trace)]
    undeleted = partial(_undeleted, reads.project_id)
    count = sum(reads.rewrite(portion, estimate, undeleted) for portion in _portions(calls))
    # Also of traces whose calls are all estimated: a run may have been stopped just here.
    if kept := undeleted(trace_ids):
        reads.settle_again(kept, has_estimated=True)
    return count


def _calls(trace: TraceSpans) -> Iterator[Unreported]:
    for at in unreported.to_estimate(trace):
        key = SpanKey(trace.trace_id, trace["span_id"][at], trace["version"][at])
        size = trace["input_bytes"][at] + trace["output_bytes"][at]
        yield Unreported(key, trace["bucket"][at], size)


def _portions(calls: Sequence[Unreported]) -> Iterator[list[Unreported]]:
    portion: list[Unreported] = []
    chars = 0
    for call in calls:
        is_full = len(portion) >= _CALLS_AT_ONCE or chars + call.chars > _CHARS_AT_ONCE
        if portion and is_full:
            yield portion
            portion, chars = [], 0
        portion.append(call)
        chars += call.chars
    if portion:
        yield portion


def estimate(span: Span) -> bool:
    """Gives the span a usage by its texts, and the cost of that; False where there is none."""
    found = counting.of(span)
    if found is None:
        return False
    span.usage, encoding = found
    span.sources = {**span.sources, "usage": f"{ESTIMATED}{encoding}"}
    quotes.apply(span)
    return True


def _undeleted(project_id: UUID, trace_ids: Collection[bytes]) -> list[bytes]:
    """Without those that somebody has deleted meanwhile: writing would bring them back."""
    if not trace_ids:
        return []
    known = tombstones.of_projects([project_id], trace_ids)
    if project_id in known.projects:
        return []
    gone = known.traces.get(project_id, set())
    return [one for one in trace_ids if one not in gone]
