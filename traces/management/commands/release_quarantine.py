"""`manage.py release_quarantine`: try again to store what the trace store refused."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from traces.ingest import quarantine
from traces.models import QuarantinedSpan
from traces.store.errors import StoreError

_AT_ONCE = 100


class Command(BaseCommand):
    help = "Store quarantined spans after all; those that are refused again stay, with the reason."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", type=UUID, help="one project's id (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        waiting = QuarantinedSpan.objects.filter(released_at=None).order_by("created_at", "id")
        if options["project"]:
            waiting = waiting.filter(project_id=options["project"])
        ids = list(waiting.values_list("id", flat=True))
        stored = refused = 0
        for start in range(0, len(ids), _AT_ONCE):
            spans = list(waiting.filter(id__in=ids[start : start + _AT_ONCE]))
            try:
                done = quarantine.release(spans, now=datetime.now(UTC))
            except StoreError as error:
                raise CommandError(str(error)) from error
            stored, refused = stored + done[0], refused + done[1]
        self.stdout.write(f"{stored} spans stored, {refused} refused again.")
