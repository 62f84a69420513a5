"""Prices as people read them: the names of what is billed, and the rate of one line."""

from __future__ import annotations

from decimal import Decimal

from django import template

from traces.pricing.rates import Line
from traces.templatetags.figures import count

register = template.Library()
_BUCKETS = {
    "uncached_input": "Input",
    "input_audio": "Audio in",
    "input_image": "Images in",
    "cache_read": "Cache read",
    "cache_write_5m": "Cache write, 5 minutes",
    "cache_write_1h": "Cache write, 1 hour",
    "output": "Output",
    "output_audio": "Audio out",
    "output_image": "Images out",
    "reasoning": "Reasoning",
    "request": "Requests",
    "query": "Queries",
    "search": "Web searches",
    "second": "Seconds",
    "character": "Characters",
    "image": "Images",
    "page": "Pages",
}


@register.filter
def bucket(name: str) -> str:
    return _BUCKETS.get(name, name)


@register.filter
def rate(line: Line) -> str:
    """`1.2 k × $2.50 per M`, `3 × $0.01 each`."""
    if line.unit == "token":
        return f"{count(line.tokens)} × {usd(line.usd_per_million)} per M"
    return f"{line.quantity:g} × {usd(line.usd_per_unit)} each"


@register.filter
def usd(value: Decimal | None) -> str:
    """A price with all of its digits, at least two after the point; empty for none."""
    if value is None:
        return ""
    plain = f"{value.normalize():f}"
    whole, _, rest = plain.partition(".")
    return f"${whole}.{rest:0<2}"
