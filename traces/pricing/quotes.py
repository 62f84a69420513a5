"""A price for a span: which one applies, and what that makes of its usage.

`apply` is on the way of every span that arrives: a model that was seen before costs about two
microseconds and no query.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from traces.pricing import rates, service_tiers, units
from traces.pricing.book import Book, Quote, current
from traces.pricing.rates import STANDARD, Price
from traces.spans import Span, Usage

_BILLED_KINDS = frozenset({"llm", "embedding", "reranker"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a span decides its price beside the tokens."""

    service: str = STANDARD
    units: Mapping[str, float] = field(default_factory=dict)


def apply(span: Span) -> None:
    """Sets the span's computed cost and the version of the price, where there is a price."""
    usage = span.usage
    if not span.model or (usage is None and span.kind not in _BILLED_KINDS):
        return
    book = current()
    quote = book.quote(span.project_id, span.model, span.provider, span.start_ns)
    cost = of(span, quote)
    if cost is not None:
        span.computed_cost_usd, span.price_version = cost, quote.version
        span.prefers_computed = span.project_id in book.prefers_computed


def of(span: Span, quote: Quote) -> Decimal | None:
    """What a quote makes of the span."""
    price = quote.price
    if price is None or (span.usage is None and not price.units):
        return None
    service = service_tiers.of(span.attributes) if len(price.tiers) > 1 else STANDARD
    if not price.units:
        return rates.cost(price, span.usage, service)
    return rates.cost(price, span.usage, service, _units(span, price))


def facts(span: Span, price: Price) -> Facts:
    """Read only as far as the price makes use of them."""
    service = service_tiers.of(span.attributes) if len(price.tiers) > 1 else STANDARD
    return Facts(service, _units(span, price) if price.units else {})


def _units(span: Span, price: Price) -> dict[str, float]:
    return units.of(span.attributes, price.units, is_call=span.kind in _BILLED_KINDS)


def cost_usd(model: str, provider: str, usage: Usage) -> Decimal | None:
    """What `usage` costs by the map, in the standard tier; None without a known price."""
    price = find(model, provider)
    return None if price is None else rates.cost(price, usage)


def find(model: str, provider: str = "", *, book: Book | None = None) -> Price | None:
    """The price of a model by the map, as emitters name it, or None."""
    return (book or current()).quote(None, model, provider, 0).price


def version() -> str:
    """Which map is in force: `litellm 1.105.3`, or `litellm 2026-11-23 3fa9c1d2`."""
    return current().price_map.version
