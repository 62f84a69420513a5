"""The book as the database holds it: installed maps, overrides, cost rules."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from traces.models import CostRule, InstalledPriceMap, PriceOverride
from traces.models.price_override import RATES
from traces.pricing import bundled
from traces.pricing.book import Book
from traces.pricing.overrides import Override
from traces.pricing.price_map import PriceMap
from traces.pricing.rates import PER_MILLION, STANDARD, Price, Rates, Tier

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def book(old: Book | None = None) -> Book:
    """A new book, or `old` itself when the database says the same. Raises DatabaseError."""
    prices = _price_map(old)
    by_project: dict[UUID, list[Override]] = defaultdict(list)
    for row in PriceOverride.objects.order_by("project_id", "id"):
        by_project[row.project_id].append(override(row))
    overrides = {project: tuple(rows) for project, rows in by_project.items()}
    rules = CostRule.objects.filter(counts=CostRule.Counts.COMPUTED)
    computed = frozenset(rules.values_list("project_id", flat=True))
    if (
        old is not None
        and old.price_map is prices
        and old.overrides == overrides
        and old.prefers_computed == computed
    ):
        return old
    return Book(prices, overrides, computed)


def override(row: PriceOverride) -> Override:
    rates = {
        name: value / PER_MILLION for name in RATES if (value := getattr(row, name)) is not None
    }
    units: dict[str, Decimal] = {"request": row.per_request} if row.per_request else {}
    return Override(
        id=row.id,
        pattern=row.pattern.lower(),
        provider=row.provider.lower(),
        price=Price(row.pattern, {STANDARD: (Tier(-1, Rates(**rates)),)}, units),
        from_ns=0 if row.valid_from is None else in_ns(row.valid_from),
        until_ns=2**63 if row.valid_until is None else in_ns(row.valid_until),
        made_ns=in_ns(row.created_at),
    )


def in_ns(moment: datetime) -> int:
    return max(0, (moment - _EPOCH) // timedelta(microseconds=1) * 1000)


def price_map(version: str) -> PriceMap | None:
    """The map that spans name so, also when it is not in force any more; None when it is gone."""
    if version == bundled.version():
        return bundled.price_map()
    return _installed(version)


def maps() -> Iterable[tuple[int, PriceMap]]:
    """Each map with the time from which it was in force (ns), the newest first; the first one that
    this installation had was so from the beginning.
    """
    for version, installed_at in InstalledPriceMap.objects.newest().values_list(
        "version", "installed_at"
    ):
        found = _installed(version)
        if found is not None:
            yield in_ns(installed_at), found
    yield 0, bundled.price_map()


def forget() -> None:
    """Read installed maps anew."""
    _installed.cache_clear()


def _price_map(old: Book | None) -> PriceMap:
    newest = InstalledPriceMap.objects.newest().values_list("version", flat=True).first()
    if newest is None:
        return bundled.price_map()
    if old is not None and old.price_map.version == newest:
        return old.price_map
    return _installed(newest) or bundled.price_map()


@lru_cache(maxsize=4)
def _installed(version: str) -> PriceMap | None:
    row = InstalledPriceMap.objects.filter(version=version).only("content").first()
    return PriceMap(zlib.decompress(row.content), version) if row is not None else None
