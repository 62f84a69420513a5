"""What a span says it used besides tokens: requests, queries, seconds, images, pages.

A table of attributes by unit. Read for models only whose price has such a unit; a number that
nobody sent is not guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from traces.semconv import reading
from traces.spans import Attributes, AttributeValue

ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "request": ("gen_ai.usage.requests", "gen_ai.usage.details.requests", "llm.usage.requests"),
    "query": (
        "gen_ai.usage.search_units",
        "gen_ai.usage.details.search_units",
        "llm.usage.search_units",
        "reranker.search_units",
    ),
    "search": (
        "gen_ai.usage.server_tool_use.web_search_requests",
        "gen_ai.usage.details.web_search_requests",
        "gen_ai.usage.web_search_requests",
        "llm.usage.web_search_requests",
        "gen_ai.usage.num_search_queries",
    ),
    "second": (
        "gen_ai.usage.audio_seconds",
        "gen_ai.usage.input_audio_seconds",
        "gen_ai.usage.details.audio_seconds",
        "gen_ai.usage.duration_seconds",
        "gen_ai.usage.seconds",
    ),
    "character": (
        "gen_ai.usage.characters",
        "gen_ai.usage.input_characters",
        "gen_ai.usage.details.characters",
    ),
    "image": (
        "gen_ai.usage.images",
        "gen_ai.usage.output_images",
        "gen_ai.usage.image_count",
        "gen_ai.usage.details.images",
    ),
    "page": ("gen_ai.usage.pages", "gen_ai.usage.pages_processed", "gen_ai.usage.details.pages"),
}
_MOST = 10**9


def of(attributes: Attributes, wanted: Iterable[str], *, is_call: bool) -> dict[str, float]:
    """The numbers that the span says of these units. A model call is one request without a word."""
    found = {}
    for unit in wanted:
        number = None
        for name in ATTRIBUTES.get(unit, ()):
            if name in attributes and (number := _number(attributes[name])) is not None:
                break
        if number is None and unit == "request" and is_call:
            number = 1.0
        if number:
            found[unit] = number
    return found


def _number(value: AttributeValue) -> float | None:
    number = reading.decimal(value)
    return float(number) if number is not None and 0 <= number <= _MOST else None
