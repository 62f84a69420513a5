"""When a model's first token came: a duration since the start, a moment, or that of an event."""

from __future__ import annotations

from collections.abc import Mapping

from traces.semconv import events, reading
from traces.semconv.convention import Field
from traces.spans import Span

_UNITS: tuple[tuple[Field, int], ...] = (
    ("first_token_ms", 10**6),
    ("first_token_seconds", 10**9),
)
_LONGEST_WAIT_NS = 10**16


def of(span: Span, names: Mapping[Field, str]) -> tuple[int, str]:
    """Nanoseconds since the epoch (0: not said) and the attribute that says it (an event: none)."""
    for field, unit_ns in _UNITS:
        if (name := names.get(field)) is not None:
            waited = reading.decimal(span.attributes[name])
            if waited is not None and 0 <= waited * unit_ns < _LONGEST_WAIT_NS:
                return span.start_ns + int(waited * unit_ns), name
    if (name := names.get("first_token_at")) is not None:
        moment_ns = reading.moment_ns(span.attributes[name])
        if moment_ns and 0 <= moment_ns - span.start_ns < _LONGEST_WAIT_NS:
            return moment_ns, name
    return (events.first_token_ns(span.events) if span.events else 0), ""
