"""`manage.py migrate_clickhouse`: bring the trace store's tables up to date."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from traces.store import schema
from traces.store.errors import StoreError


class Command(BaseCommand):
    help = "Apply the trace store's migrations (forward only)."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            applied = schema.apply(report=lambda name: self.stdout.write(f"  {name}"))
        except StoreError as error:
            raise CommandError(str(error)) from error
        done = f"{len(applied)} applied." if applied else "The trace store is up to date."
        self.stdout.write(done)
