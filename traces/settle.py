"""Settling: when a trace is quiet, recompute it from its spans and write one row, a new generation.

One query finds what is quiet in all projects, by the engine's own clock, and compares it with what
has settled: a restart at any instant loses nothing, and doing it twice changes nothing. What is
written is `settled_rows`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from django.conf import settings

from traces import call_facts, settled_rows, totals
from traces.settled_rows import Settled
from traces.store.errors import QueryTooLarge, StoreRejected
from traces.store.system import (
    MAX_SPANS_A_TRACE,
    Patience,
    SystemReader,
    TraceKey,
    Unsettled,
)
from traces.trace_spans import TraceSpans

log = logging.getLogger(__name__)

SHORT_LOOKBACK_SECONDS = 15 * 60
LONG_LOOKBACK_SECONDS = 14 * 24 * 3600
MAX_SECONDS = 20.0
LAST_WAIT_SECONDS = 3600
"""So long a trace must be quiet that has used up its generations."""
_KEYS = 5_000
# Spans read at once: some hundred bytes each in the engine's answer.
_MAX_SPANS_READ = 50_000
# A trace that took longer is read apart: its time would open the granules of all others.
_LONG_SECONDS = 300.0


def settle_quiet(
    *, lookback_seconds: int = SHORT_LOOKBACK_SECONDS, max_seconds: float = MAX_SECONDS
) -> int:
    """Settle every quiet trace that has changed within the look-back; returns how many.

    Stops after `max_seconds`; the next call goes on. Raises StoreUnavailable; what was settled
    until then stays settled.
    """
    reader = SystemReader()
    deadline = time.monotonic() + max_seconds
    count = 0
    for portion in _waiting(reader, lookback_seconds):
        count += _settle_portion(reader, portion)
        if time.monotonic() > deadline:
            break
    if count:
        log.info("traces.settled count=%d", count)
    return count


def _waiting(reader: SystemReader, lookback_seconds: int) -> Iterator[list[Unsettled]]:
    for keys in _batches(reader, lookback_seconds):
        yield from _portions(reader.unsettled(keys, _patience()))


def _patience() -> Patience:
    return Patience(
        quiet_seconds=settings.SETTLE_QUIET_SECONDS,
        silence_seconds=settings.SETTLE_SILENCE_SECONDS,
        generations=settings.SETTLE_GENERATIONS,
        last_wait_seconds=LAST_WAIT_SECONDS,
    )


def _batches(reader: SystemReader, lookback_seconds: int) -> Iterator[list[TraceKey]]:
    """Each batch goes on after the one before: a trace that cannot settle blocks no other."""
    last: TraceKey | None = None
    while True:
        keys = reader.unsettled_keys(
            lookback_seconds=lookback_seconds,
            quiet_seconds=min(settings.SETTLE_QUIET_SECONDS, settings.SETTLE_SILENCE_SECONDS),
            limit=_KEYS,
            after=last,
        )
        if keys:
            yield keys
        if len(keys) < _KEYS:
            return
        last = keys[-1]


def _portions(quiet: Sequence[Unsettled]) -> Iterator[list[Unsettled]]:
    """Traces whose spans are few enough to be read at once; one huge trace stands alone."""
    for alike in _by_length(quiet):
        portion: list[Unsettled] = []
        spans = 0
        for trace in alike:
            size = trace.arrived or 1
            if portion and spans + size > _MAX_SPANS_READ:
                yield portion
                portion, spans = [], 0
            portion.append(trace)
            spans += size
        if portion:
            yield portion


def _by_length(quiet: Sequence[Unsettled]) -> tuple[list[Unsettled], list[Unsettled]]:
    short: list[Unsettled] = []
    long: list[Unsettled] = []
    for trace in quiet:
        took = (trace.last_stored_at - trace.first_stored_at).total_seconds()
        (long if took > _LONG_SECONDS else short).append(trace)
    return short, long


def _settle_portion(reader: SystemReader, quiet: Sequence[Unsettled]) -> int:
    try:
        return _settle_together(reader, quiet)
    except (QueryTooLarge, StoreRejected) as error:
        if len(quiet) == 1:
            log.error("traces.settle_refused trace=%s reason=%s", quiet[0].trace_id.hex(), error)
            return 0
    middle = len(quiet) // 2
    halves = (quiet[:middle], quiet[middle:])
    return sum(_settle_portion(reader, half) for half in halves)


def _settle_together(reader: SystemReader, quiet: Sequence[Unsettled]) -> int:
    waiting = {trace.key: trace for trace in quiet}
    traces = list(reader.spans_of(quiet))  # fewer than asked for where spans are gone
    _fill_texts(reader, quiet, traces)
    settled = [_settled(reader, waiting[one.project_id, one.trace_id], one) for one in traces]
    if settled:
        settled_rows.write(settled)
    return len(settled)


def _settled(reader: SystemReader, quiet: Unsettled, trace: TraceSpans) -> Settled:
    summary = totals.of(trace, is_running=False)
    if len(trace) >= MAX_SPANS_A_TRACE:
        whole = reader.span_counts([quiet]).get(quiet.key, 0)
        summary = replace(summary, span_count=max(summary.span_count, whole))
    return Settled(quiet, summary, call_facts.of(trace))


def _fill_texts(
    reader: SystemReader, quiet: Sequence[Unsettled], traces: Sequence[TraceSpans]
) -> None:
    """Fetch the content for previews that the store keeps with the spans only."""
    missing: dict[tuple[UUID, bytes, bytes], list[tuple[TraceSpans, str, int]]] = {}
    for trace in traces:
        for field, at in totals.texts_wanted(trace):
            span = trace.project_id, trace.trace_id, trace["span_id"][at]
            missing.setdefault(span, []).append((trace, field, at))
    if not missing:
        return
    for text in reader.texts_of(quiet, list(missing)):
        for trace, field, at in missing[text.project_id, text.trace_id, text.span_id]:
            trace[field][at] = text.input if field == "input" else text.output
