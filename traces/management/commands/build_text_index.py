"""`manage.py build_text_index`: make text searches fast, for more disk and dearer inserts."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from traces.store import text_index
from traces.store.errors import StoreError

_POLL_SECONDS = 2.0


class Command(BaseCommand):
    help = (
        "Add the full-text index of spans and build it in the background. Searches work without "
        "it, by reading; with it rare words are found at once, and spans cost more to insert and "
        "to keep."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--drop", action="store_true", help="remove the index")
        parser.add_argument(
            "--status", action="store_true", help="say how far the index is and stop"
        )
        parser.add_argument(
            "--no-wait", action="store_true", help="return at once; the engine goes on building"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["drop"]:
                text_index.drop()
                self.stdout.write("The text index is removed; searches read the spans again.")
                return
            if not options["status"]:
                text_index.add()
                text_index.build()
                if not options["no_wait"]:
                    self._wait()
            self.stdout.write(_said(text_index.progress()))
        except StoreError as error:
            raise CommandError(str(error)) from error

    def _wait(self) -> None:
        """Until it is built. Ctrl-C leaves the engine building."""
        most = left = 0
        try:
            while not (progress := text_index.progress()).is_built:
                if progress.failure:
                    raise CommandError(f"The engine cannot build the index: {progress.failure}")
                if progress.parts_to_do != left:
                    left = progress.parts_to_do
                    most = max(most, left)
                    self.stdout.write(f"  {most - left} of {most} parts")
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            self.stdout.write("The engine goes on building.")


def _said(progress: text_index.Progress) -> str:
    if not progress.is_added:
        return "There is no text index. `manage.py build_text_index` builds it."
    if not progress.is_built:
        return f"The text index is being built: {progress.parts_to_do} parts to do."
    return f"The text index is built: {progress.disk_bytes / 1e6:,.1f} MB."
