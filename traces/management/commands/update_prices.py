"""`manage.py update_prices`: bring the price map up to date, and show what changed."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from traces.pricing import bundled, updates
from traces.pricing.rates import Price
from traces.pricing.updates import BadUpdate, Change, Update

_SHOWN = 20


class Command(BaseCommand):
    help = "Install a newer price map; spans that arrive from then on are priced by it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--file", type=Path, help="a map in litellm's format")
        source.add_argument("--url", default=updates.DEFAULT_URL, help="default: %(default)s")
        source.add_argument(
            "--bundled",
            action="store_true",
            help="the map of the installed litellm package, after that was updated",
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would change")
        parser.add_argument("--all", action="store_true", help="list every change")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            content, source = _content(options)
            work = updates.preview if options["dry_run"] else _installing(source)
            update = work(content, datetime.now(UTC))
        except BadUpdate as error:
            raise CommandError(str(error)) from error
        if not update.version:
            self.stdout.write(f"Nothing to do: this map of {update.priced:,} models is in force.")
            return
        self._show(update, len(update.changes) if options["all"] else _SHOWN)
        word = "Would install" if options["dry_run"] else "Installed"
        self.stdout.write(f"{word} {update.version}: {update.priced:,} models with a price.")

    def _show(self, update: Update, most: int) -> None:
        for title, changes in (
            ("added", update.added),
            ("removed", update.removed),
            ("changed", update.changed),
        ):
            self.stdout.write(f"{len(changes):,} {title}")
            for line in _lines(changes[:most]):
                self.stdout.write(f"  {line}")
            if len(changes) > most:
                self.stdout.write(f"  … and {len(changes) - most:,} more (--all lists them)")


def _installing(source: str) -> Any:
    return lambda content, now: updates.install(content, source, now)


def _content(options: dict[str, Any]) -> tuple[bytes, str]:
    if options["bundled"]:
        return bundled.content(), bundled.version()
    if options["file"]:
        return updates.read(options["file"]), str(options["file"])
    return updates.fetch(options["url"]), options["url"]


def _lines(changes: Sequence[Change]) -> list[str]:
    return [f"{c.model}: {_text(c.before)} → {_text(c.after)}" for c in changes]


def _text(price: Price | None) -> str:
    """Input and output for a million tokens: what most changes are about."""
    if price is None:
        return "no price"
    rates = price.base
    units = "".join(f", ${usd:f} a {unit}" for unit, usd in price.units.items())
    return f"${_million(rates.input)} in, ${_million(rates.output)} out{units}"


def _million(rate: Any) -> str:
    return f"{(rate * 1_000_000).normalize():f}"
