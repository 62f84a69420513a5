"""`manage.py send_traces FILE`: replays recorded OTLP/JSON requests through the receiver."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from traces.replay.progress import Progress
from traces.replay.recording import BadLine, Recording, Unreadable
from traces.replay.sender import Sender, SendingStopped, Tally

SHOWN_BAD_LINES = 10


class Command(BaseCommand):
    help = "Send recorded OTLP/JSON requests, one a line, plain or gzip; - is standard input."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="default: %(default)s")
        # The client's side of a key, named as the SDKs name it; the server has no such setting.
        parser.add_argument(
            "--api-key",
            default=os.environ.get("TRACEROOT_API_KEY", ""),
            help="default: the environment variable TRACEROOT_API_KEY",
        )
        parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: any")
        parser.add_argument(
            "--now", action="store_true", help="move times: the newest span of a file ends now"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["api_key"]:
            raise CommandError(
                "No API key. Give one with --api-key or in TRACEROOT_API_KEY; a project's keys are "
                "under Settings, API keys."
            )
        started = time.monotonic()
        bad_lines = 0
        with Sender(options["url"], options["api_key"], rate=options["rate"]) as sender:
            try:
                for path in options["files"]:
                    bad_lines += self._send_file(path, sender, options["now"])
            except (Unreadable, SendingStopped) as error:
                raise CommandError(_stopped(str(error), sender.tally, started)) from None
            except KeyboardInterrupt:
                text = _stopped("Interrupted.", sender.tally, started)
                raise CommandError(text, returncode=130) from None
        self.stdout.write(_summary(sender.tally, bad_lines, time.monotonic() - started))
        if bad_lines or sender.tally.rejected_spans:
            sys.exit(1)

    def _send_file(self, path: str, sender: Sender, is_now: bool) -> int:
        """The number of lines that could not be sent as they are no request."""
        recording = Recording.open(
            path,
            cast(BinaryIO, sys.stdin.buffer),
            line_limit_bytes=settings.INGEST_MAX_BODY_BYTES,
            must_rewind=is_now,
        )
        progress = Progress(sys.stderr, recording.size_bytes)
        bad_lines = 0
        try:
            newest_ns = recording.newest_end_ns() if is_now else 0
            shift_ns = time.time_ns() - newest_ns if newest_ns else 0
            for line in recording.lines(shift_ns):
                if isinstance(line, BadLine):
                    bad_lines += 1
                    progress.clear()
                    self._report_bad_line(recording.name, line, bad_lines)
                    continue
                sender.send(line)
                tally = sender.tally
                progress.show(recording.position_bytes, tally.requests, tally.spans)
        finally:
            progress.clear()
            recording.close()
        return bad_lines

    def _report_bad_line(self, name: str, line: BadLine, count: int) -> None:
        if count <= SHOWN_BAD_LINES:
            self.stderr.write(f"{name}, line {line.number}: {line.reason}. Going on.")
        elif count == SHOWN_BAD_LINES + 1:
            self.stderr.write("Further lines like these are only counted.")


def _stopped(why: str, tally: Tally, started: float) -> str:
    """Why it ended, first; what was done before, if anything."""
    if not tally.requests:
        return why
    return f"{why}\nBefore that: {_summary(tally, 0, time.monotonic() - started)}"


def _summary(tally: Tally, bad_lines: int, seconds: float) -> str:
    pace = f"{tally.spans / seconds:,.0f} spans/s" if seconds > 0 else ""
    lines = [
        f"{tally.requests:,} requests, {tally.spans:,} spans: {tally.accepted:,} accepted, "
        f"{tally.rejected_spans:,} rejected. {seconds:.1f} s, {pace}"
    ]
    for reason, count in tally.rejected.most_common(SHOWN_BAD_LINES):
        lines.append(f"  rejected {count:,}: {reason}")
    if bad_lines:
        lines.append(f"  {bad_lines:,} lines were no request and were left out")
    if tally.waits:
        lines.append(f"  {tally.waits:,} times the receiver asked to wait")
    if tally.unanswered:
        lines.append(f"  {tally.unanswered:,} times nothing answered, and it was tried again")
    return "\n".join(lines)
