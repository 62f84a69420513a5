"""How much of one span is kept, as the installation's settings say."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class CutLimits:
    """Lengths are characters. Those of structured values are of their JSON."""

    value_chars: int = 1024**2
    span_chars: int = 4 * 1024**2
    """Attributes, events, links, input and output together."""
    attributes: int = 2_000
    """Of a span, an event, a link or a resource, each for itself."""
    key_chars: int = 1_024
    events: int = 1_000
    links: int = 1_000


def from_settings() -> CutLimits:
    return CutLimits(
        value_chars=settings.INGEST_MAX_VALUE_CHARS,
        span_chars=settings.INGEST_MAX_SPAN_CHARS,
        attributes=settings.INGEST_MAX_ATTRIBUTES,
        key_chars=settings.INGEST_MAX_KEY_CHARS,
        events=settings.INGEST_MAX_EVENTS,
        links=settings.INGEST_MAX_LINKS,
    )
