"""Why a span costs what it costs: the price that made it, line by line, and what else was said.

Recomputed from the span by the prices that its `price_version` names, also when they are not in
force any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from uuid import UUID

from traces.models import PriceOverride
from traces.pricing import overrides, quotes, rates, stored
from traces.pricing.book import Quote, current
from traces.pricing.rates import STANDARD, Line, Price
from traces.spans import Span

Counted = Literal["reported", "computed", "none"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`lines` add up to the computed cost unless `note` says otherwise.

    `priced_as` is the entry of the map, or the pattern of the override, that matched.
    """

    counted: Counted
    cost_usd: Decimal | None
    reported_usd: Decimal | None
    reported_by: str
    computed_usd: Decimal | None
    price_version: str
    override_id: str
    priced_as: str
    tier: str
    above_tokens: int
    lines: tuple[Line, ...]
    note: str

    @property
    def is_unknown(self) -> bool:
        """Whether the span used something of which no price is known."""
        return self.counted == "none"


def of(span: Span) -> Explanation | None:
    """None when nothing about the span costs anything."""
    return next(iter(of_all([span])))


def of_all(spans: Iterable[Span]) -> list[Explanation | None]:
    """In their order; all of one project. One query for all overrides that they name."""
    listed = list(spans)
    made = _overrides(listed)
    return [_explain(span, made) for span in listed]


def _explain(span: Span, made: dict[str, PriceOverride]) -> Explanation | None:
    if span.usage is None and span.cost_usd is None:
        return None
    quote, note = _quote(span, made)
    price = quote.price
    lines, tier, above = _lines(span, price) if price is not None else ((), STANDARD, -1)
    computed = span.computed_cost_usd
    if computed is None:
        lines = ()
        note = note or _unknown(span, quote)
    elif not note and price is not None and quotes.of(span, quote) != computed:
        note = "These prices have changed since: the lines are today's and add up to another sum."
    if span.estimated_by:
        note = f"{_estimated(span)} {note}".strip()
    return Explanation(
        counted=_counted(span),
        cost_usd=span.cost_usd,
        reported_usd=span.reported_cost_usd,
        reported_by=span.sources.get("reported_cost_usd", ""),
        computed_usd=computed,
        price_version=span.price_version,
        override_id=span.price_version.removeprefix(overrides.NAME)
        if span.price_version.startswith(overrides.NAME)
        else "",
        priced_as=price.model if price is not None and computed is not None else "",
        tier=tier,
        above_tokens=max(0, above),
        lines=tuple(lines),
        note=note,
    )


def _quote(span: Span, made: dict[str, PriceOverride]) -> tuple[Quote, str]:
    """The price that the span names, and what is to be said when it cannot be had."""
    version = span.price_version
    if version.startswith(overrides.NAME):
        row = made.get(version)
        if row is None:
            return Quote(None, version), "The price of this project that made it was deleted since."
        return Quote(stored.override(row).price, version), ""
    if not version:
        return current().quote(span.project_id, span.model, span.provider, span.start_ns), ""
    known = stored.price_map(version)
    if known is None:
        quote = current().quote(None, span.model, span.provider, span.start_ns)
        return quote, f"The prices {version} are not kept here; the lines are today's."
    return Quote(known.find(span.model, span.provider), version), ""


def _lines(span: Span, price: Price) -> tuple[list[Line], str, int]:
    facts = quotes.facts(span, price)
    tokens = span.usage.input if span.usage is not None else 0
    service, tier = price.tier(tokens, facts.service)
    return rates.lines(price, span.usage, facts.service, facts.units), service, tier.above


def _counted(span: Span) -> Counted:
    if span.cost_usd is None:
        return "none"
    return "reported" if span.cost_usd == span.reported_cost_usd else "computed"


def _unknown(span: Span, quote: Quote) -> str:
    if not span.model:
        return "No model was named, so nothing can be priced."
    if quote.price is None:
        by = f" of {span.provider}" if span.provider else ""
        return f"No price is known for the model {span.model}{by}."
    if quotes.of(span, quote) is None:
        billed = " and ".join(quote.price.units) or "token"
        return f"{quote.price.model} is billed by {billed}, and the span says no number of these."
    return "The span was stored before this price was known; repricing fills it in."


def _estimated(span: Span) -> str:
    return (
        "The call reported no tokens: they are estimated from its texts, counted with "
        f"{span.estimated_by}."
    )


def _overrides(spans: list[Span]) -> dict[str, PriceOverride]:
    """By price version, of the spans' own project only."""
    ids = {UUID(found) for span in spans if (found := _override_id(span.price_version))}
    if not ids:
        return {}
    rows = PriceOverride.objects.for_project(spans[0].project_id).filter(pk__in=ids)
    return {f"{overrides.NAME}{row.id}": row for row in rows}


def _override_id(version: str) -> str:
    """Ours, so that its form is known; but what is stored may be anything."""
    found = version.removeprefix(overrides.NAME) if version.startswith(overrides.NAME) else ""
    try:
        return str(UUID(found)) if found else ""
    except ValueError:
        return ""
