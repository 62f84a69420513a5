"""`manage.py seed_schedule`: write the beat schedule of this version to the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from traceroot_site import schedule


class Command(BaseCommand):
    help = "Write this version's beat schedule; what an administrator changed stays."

    def handle(self, *args: Any, **options: Any) -> None:
        schedule.seed()
        self.stdout.write(f"{len(schedule.PERIODIC)} periodic tasks.")
