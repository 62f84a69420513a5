"""A new price map: fetched or read, checked, compared with the one in force, installed.

The map is a stranger's text: what does not look like prices is refused as a whole.
"""

from __future__ import annotations

import hashlib
import logging
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from django.db import transaction

from traces.models import InstalledPriceMap
from traces.pricing import book, bundled, stored
from traces.pricing.price_map import BadPriceMap, PriceMap
from traces.pricing.rates import Price

log = logging.getLogger(__name__)

DEFAULT_URL = (
    "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
)
MAX_BYTES = 64 * 1024**2
_SECONDS = 30.0
# Litellm's has some 3,500; far fewer is another file, an error page or half a download.
_LEAST_PRICED = 100
_LEAST_KEPT = 0.5
_DEAREST_TOKEN_USD = Decimal("0.1")
_SCHEMES = frozenset({"https", "http"})


class BadUpdate(ValueError):
    """The new map cannot be had or is not to be trusted; the old one stays in force."""


@dataclass(frozen=True, slots=True)
class Change:
    """One model's price before and after; None: it had or has none."""

    model: str
    before: Price | None
    after: Price | None


@dataclass(frozen=True, slots=True)
class Update:
    """`version` is "" when the content is what is in force already."""

    version: str
    priced: int
    changes: tuple[Change, ...]

    @property
    def added(self) -> list[Change]:
        return [change for change in self.changes if change.before is None]

    @property
    def removed(self) -> list[Change]:
        return [change for change in self.changes if change.after is None]

    @property
    def changed(self) -> list[Change]:
        return [c for c in self.changes if c.before is not None and c.after is not None]


def fetch(url: str) -> bytes:
    """What is at an address. Raises BadUpdate."""
    if urlsplit(url).scheme not in _SCHEMES:
        raise BadUpdate(f"{url} is no https address.")
    request = urllib.request.Request(url, headers={"User-Agent": "traceroot"})
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            content: bytes = answer.read(MAX_BYTES + 1)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise BadUpdate(f"{url} could not be fetched: {error}. The prices stay as they are.") from (
            error
        )
    return _of_sane_size(content, url)


def read(file: Path) -> bytes:
    """What is in a file. Raises BadUpdate."""
    try:
        with file.open("rb") as opened:
            return _of_sane_size(opened.read(MAX_BYTES + 1), str(file))
    except OSError as error:
        raise BadUpdate(f"{file} could not be read: {error.strerror or error}.") from error


def install(content: bytes, source: str, now: datetime) -> Update:
    """Checks the content and puts it in force, all or nothing. Raises BadUpdate.

    Other processes take it up within `PRICES_REFRESH_SECONDS`.
    """
    update = preview(content, now)
    if not update.version:
        return update
    with transaction.atomic():
        InstalledPriceMap.objects.update_or_create(
            version=update.version,
            defaults={
                "source": source[:500],
                "entries": update.priced,
                "content": zlib.compress(content, 9),
                "installed_at": now,
            },
        )
    book.reload()
    log.info(
        "prices.installed version=%s priced=%d added=%d removed=%d changed=%d",
        update.version,
        update.priced,
        len(update.added),
        len(update.removed),
        len(update.changed),
    )
    return update


def preview(content: bytes, now: datetime) -> Update:
    """As `install`, without doing it."""
    digest = hashlib.sha256(content).hexdigest()[:8]
    version = f"litellm {now:%Y-%m-%d} {digest}"
    old = stored.book().price_map
    is_bundled = content == bundled.content()
    try:
        new = PriceMap(content, version)
        before = {name.lower(): price for name, price in old.prices() if price is not None}
        after = {name.lower(): price for name, price in new.prices() if price is not None}
    except BadPriceMap as error:
        raise BadUpdate(f"{error} The prices stay as they are.") from error
    _check(before, after)
    in_force = old.version.endswith(digest) or (is_bundled and old.version == bundled.version())
    changes = tuple(_changes(before, after))
    return Update("" if in_force else version, len(after), changes)


def _check(before: dict[str, Price], after: dict[str, Price]) -> None:
    if len(after) < _LEAST_PRICED:
        raise BadUpdate(
            f"Only {len(after)} models in it have a price: this is no price map. "
            "The prices stay as they are."
        )
    kept = len(before.keys() & after.keys())
    if before and kept < _LEAST_KEPT * len(before):
        raise BadUpdate(
            f"It lacks {len(before) - kept:,} of the {len(before):,} models that have a price now. "
            "The prices stay as they are."
        )
    for name, price in after.items():
        dearest = max(price.base.input, price.base.output)
        if dearest > _DEAREST_TOKEN_USD:
            raise BadUpdate(
                f"It says ${dearest:f} for one token of {name[:100]!r}, which cannot be. "
                "The prices stay as they are."
            )


def _changes(before: dict[str, Price], after: dict[str, Price]) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield Change(name, old, new)


def _of_sane_size(content: bytes, source: str) -> bytes:
    if len(content) > MAX_BYTES:
        raise BadUpdate(f"{source} has more than {MAX_BYTES:,} bytes: this is no price map.")
    return content
