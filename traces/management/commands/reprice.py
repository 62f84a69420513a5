"""`manage.py reprice`: costs of stored spans by today's knowledge of the prices of their time."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from accounts.models import Project
from traces.pricing import repricing
from traces.pricing.repricing import Result
from traces.store.errors import StoreError

_DAYS = 30


class Command(BaseCommand):
    help = "Price stored spans again. Safe to stop and to run again: what is right is left alone."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", type=UUID, help="one project's id (default: all)")
        parser.add_argument(
            "--from", dest="since", help=f"ISO 8601, UTC (default: {_DAYS} days ago)"
        )
        parser.add_argument("--to", dest="until", help="likewise (default: now)")
        parser.add_argument("--dry-run", action="store_true", help="show what would change")
        parser.add_argument(
            "--newest-map",
            action="store_true",
            help="the price map of today for spans of any time, after a wrong price was corrected",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = datetime.now(UTC)
        since = _instant(options["since"], now - timedelta(days=_DAYS))
        until = _instant(options["until"], now)
        if until <= since:
            raise CommandError("--to must be later than --from.")
        projects = Project.objects.order_by("name", "id")
        if options["project"]:
            projects = projects.filter(pk=options["project"])
            if not projects.exists():
                raise CommandError(f"There is no project {options['project']}.")
        for project in projects:
            self.stdout.write(f"{project.name} ({project.id})")
            self._reprice(project, since, until, options)

    def _reprice(
        self, project: Project, since: datetime, until: datetime, options: dict[str, Any]
    ) -> None:
        try:
            result = repricing.reprice(
                project.id,
                since,
                until,
                dry_run=options["dry_run"],
                newest_map=options["newest_map"],
                report=self._progress(),
            )
        except StoreError as error:
            raise CommandError(f"{error} Run it again: it goes on where it stopped.") from error
        for line in _lines(result, dry_run=options["dry_run"]):
            self.stdout.write(f"  {line}")

    def _progress(self) -> Callable[[datetime, Result], None]:
        def report(hour: datetime, result: Result) -> None:
            self.stdout.write(
                f"  {hour:%Y-%m-%d %H:%M} done: {result.spans:,} spans, {result.changed:,} changed"
            )

        return report


def _lines(result: Result, *, dry_run: bool) -> list[str]:
    would = "would change" if dry_run else "changed"
    difference = result.after_usd - result.before_usd
    sign = "+" if difference >= 0 else "-"
    lines = [
        f"{result.spans:,} spans looked at, {result.changed:,} {would}: "
        f"{result.newly_priced:,} newly priced, {result.no_longer_priced:,} no longer priced, "
        f"{result.unpriced:,} of unknown price",
        f"before {_usd(result.before_usd)}, after {_usd(result.after_usd)} "
        f"({sign}{_usd(abs(difference))})",
    ]
    return lines if dry_run else [*lines, f"{result.traces:,} traces brought up to date"]


def _usd(amount: Decimal) -> str:
    return f"${amount:,.6f}"


def _instant(text: str | None, default: datetime) -> datetime:
    if not text:
        return default
    try:
        found = parse_datetime(text) or parse_datetime(f"{text}T00:00:00")
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{text!r} is no time. Write it like 2026-03-01T12:00:00.")
    return found if found.tzinfo else found.replace(tzinfo=UTC)
