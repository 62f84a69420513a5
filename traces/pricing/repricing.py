"""Prices stored spans again: costs by the prices of each span's own time, in bounded steps.

A step can be repeated: what has its cost already is not written again, and a trace whose total is
not that of its spans is found by that alone. So a run that was stopped is simply run once more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from traces.pricing import quotes, service_tiers, stored, units
from traces.pricing.book import Book, Quote
from traces.spans import Span
from traces.store.errors import QueryTooLarge
from traces.store.reads.priced import BEGINNING, HOUR_SECONDS, Key, PricedSpans

log = logging.getLogger(__name__)

_PAGE = 5_000
_WRITTEN_AT_ONCE = 1_000
_TRACES_AT_ONCE = 200
_ATTRIBUTES = (
    *service_tiers.ATTRIBUTES,
    *service_tiers.HOLDERS,
    *(name for names in units.ATTRIBUTES.values() for name in names),
)


@dataclass(slots=True)
class Result:
    """US dollars are those that count, of the spans that were looked at."""

    spans: int = 0
    changed: int = 0
    newly_priced: int = 0
    no_longer_priced: int = 0
    unpriced: int = 0
    traces: int = 0
    before_usd: Decimal = field(default_factory=Decimal)
    after_usd: Decimal = field(default_factory=Decimal)


class Prices:
    """The prices of one project at any time: its own, then those of the map in force then.

    A model that the map of the time did not know is priced by the first later one that does.
    """

    def __init__(self, project_id: UUID, *, newest_map: bool = False) -> None:
        self._project_id = project_id
        book = stored.book()
        self.prefers_computed = project_id in book.prefers_computed
        own = {project_id: book.overrides.get(project_id, ())}
        maps = list(stored.maps())
        since = [(0, maps[0][1])] if newest_map else list(reversed(maps))
        self._books = [(from_ns, Book(price_map, own)) for from_ns, price_map in since]

    def quote(self, span: Span) -> Quote:
        asked = (self._project_id, span.model, span.provider, span.start_ns)
        in_force = max(n for n, (since, _) in enumerate(self._books) if since <= span.start_ns)
        found = (book.quote(*asked) for _, book in self._books[in_force:])
        return next((quote for quote in found if quote.price is not None), Quote(None, ""))


def reprice(
    project_id: UUID,
    since: datetime,
    until: datetime,
    *,
    dry_run: bool = False,
    newest_map: bool = False,
    report: Callable[[datetime, Result], None] = lambda at, result: None,
) -> Result:
    """Of spans that start within [since, until). `report` is called after each hour.

    Raises StoreError; what was written until then stays and is not written again.
    """
    prices = Prices(project_id, newest_map=newest_map)
    reads = PricedSpans(project_id)
    first, end = int(since.timestamp()), int(until.timestamp())
    total = Result()
    for hour in reads.hours(first, end):
        window = max(hour.start, first), min(hour.start + HOUR_SECONDS, end)
        for page in _pages(reads, *window):
            _price(reads, window, page, prices, total, dry_run=dry_run)
        report(datetime.fromtimestamp(hour.start, since.tzinfo), total)
    log.info(
        "prices.repriced project=%s spans=%d changed=%d dry_run=%s",
        project_id,
        total.spans,
        total.changed,
        dry_run,
    )
    return total


def _pages(reads: PricedSpans, since: int, until: int) -> Iterator[list[Span]]:
    after: Key = BEGINNING
    while True:
        page = reads.page(since, until, after, _ATTRIBUTES, _PAGE)
        if page:
            yield page
        if len(page) < _PAGE:
            return
        after = page[-1].trace_id, page[-1].span_id


def _price(
    reads: PricedSpans,
    window: tuple[int, int],
    page: Sequence[Span],
    prices: Prices,
    total: Result,
    *,
    dry_run: bool,
) -> None:
    changed = []
    for span in page:
        new = _priced(span, prices)
        _count(total, span, new)
        if new != span:
            changed.append(new)
    total.changed += len(changed)
    if dry_run:
        return
    for start in range(0, len(changed), _WRITTEN_AT_ONCE):
        _rewrite(reads, window, changed[start : start + _WRITTEN_AT_ONCE])
    trace_ids = list(dict.fromkeys(span.trace_id for span in page))
    for start in range(0, len(trace_ids), _TRACES_AT_ONCE):
        total.traces += reads.settle_again(trace_ids[start : start + _TRACES_AT_ONCE])


def _priced(span: Span, prices: Prices) -> Span:
    quote = prices.quote(span)
    cost = quotes.of(span, quote)
    return replace(
        span,
        computed_cost_usd=cost,
        price_version=quote.version if cost is not None else "",
        prefers_computed=prices.prefers_computed and cost is not None,
    )


def _count(total: Result, old: Span, new: Span) -> None:
    total.spans += 1
    total.before_usd += old.cost_usd or 0
    total.after_usd += new.cost_usd or 0
    had, has = old.computed_cost_usd is not None, new.computed_cost_usd is not None
    total.newly_priced += has and not had
    total.no_longer_priced += had and not has
    total.unpriced += not has and new.usage is not None


def _rewrite(reads: PricedSpans, window: tuple[int, int], spans: Sequence[Span]) -> None:
    """Halves what is too large to be read at once, down to one span."""
    try:
        reads.rewrite(*window, spans)
    except QueryTooLarge:
        if len(spans) == 1:
            raise
        middle = len(spans) // 2
        _rewrite(reads, window, spans[:middle])
        _rewrite(reads, window, spans[middle:])
