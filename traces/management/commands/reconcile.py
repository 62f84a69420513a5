"""`manage.py reconcile`: prove that what was acknowledged is there, project by project."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime

from accounts.models import Project
from traces.ingest import ledger
from traces.ingest.ledger import Balance
from traces.store.errors import StoreError

_UNSETTLED_SECONDS = 30
_NS = 1_000_000_000


class Command(BaseCommand):
    help = "Compare receipts, the engine's ledger and the stored spans; exit code 1 if they differ."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", type=UUID, help="one project's id (default: all)")
        parser.add_argument(
            "--since", help="ISO 8601, UTC unless it says else (default: a day ago)"
        )
        parser.add_argument(
            "--until",
            help=f"likewise (default: {_UNSETTLED_SECONDS} s ago, after what is under way)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = datetime.now(UTC)
        since = _instant(options["since"], now - timedelta(days=1))
        until = _instant(options["until"], now - timedelta(seconds=_UNSETTLED_SECONDS))
        oldest = now - timedelta(days=settings.INGEST_LEDGER_DAYS)
        if since < oldest:
            raise CommandError(
                f"The ledger is kept for {settings.INGEST_LEDGER_DAYS} days "
                f"(TRACEROOT_INGEST_LEDGER_DAYS). Choose --since {oldest:%Y-%m-%dT%H:%M}Z or later."
            )
        projects = Project.objects.order_by("name", "id")
        if options["project"]:
            projects = projects.filter(pk=options["project"])
            if not projects.exists():
                raise CommandError(f"There is no project {options['project']}.")
        self.stdout.write(
            f"Received from {since:%Y-%m-%d %H:%M:%S} to {until:%Y-%m-%d %H:%M:%S} UTC"
        )
        bad = sum(not self._check(project, since, until) for project in projects)
        if bad:
            self.stderr.write(f"{bad} of {len(projects)} projects do not add up.")
            sys.exit(1)

    def _check(self, project: Project, since: datetime, until: datetime) -> bool:
        began = time.monotonic()
        try:
            found = ledger.balance(project.id, since_ns=_ns(since), until_ns=_ns(until))
        except StoreError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"\n{project.name} ({project.id})")
        for text, spans in _lines(found):
            self.stdout.write(f"  {text:<52}{spans:>14,}")
        word = "It adds up" if found.is_good else "IT DOES NOT ADD UP"
        self.stdout.write(
            f"  {word}: {found.requests:,} requests in {time.monotonic() - began:.1f} s."
        )
        return found.is_good


def _lines(found: Balance) -> list[tuple[str, int]]:
    lines = [
        ("accepted, by receipts and spool", found.accepted),
        ("= stored: different spans", found.distinct),
        ("+ stored: sent again in a later request", found.resent),
        ("+ repeated within their request", found.repeated),
        ("+ quarantined", found.quarantined),
        ("+ in the spool", found.spooled),
    ]
    difference = found.accepted - found.explained
    lines += [("+ MISSING: acknowledged and nowhere", found.missing)] if found.missing else []
    if difference != found.missing:
        lines.append(("+ UNEXPLAINED", difference - found.missing))
    lines += [("IN THE LEDGER, NOT AMONG THE SPANS", found.gone)] if found.gone else []
    lines += [("AMONG THE SPANS, NOT IN THE LEDGER", found.unledgered)] if found.unledgered else []
    return [
        *lines,
        ("beside these: rejected, as the sender was told", found.rejected),
        ("beside these: dropped by rules", found.dropped),
        ("beside these: stored, never acknowledged", found.unacknowledged),
    ]


def _instant(text: str | None, default: datetime) -> datetime:
    if not text:
        return default
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{text!r} is no time. Write it like 2026-03-01T12:00:00.")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _ns(instant: datetime) -> int:
    return max(0, int(instant.timestamp() * 1_000_000) * 1000)
