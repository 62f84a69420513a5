"""`manage.py up`: everything, in one data directory, on loopback unless told otherwise."""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from traceroot_site.up import supervisor


class Command(BaseCommand):
    help = "Start the whole product: trace store, receiver, web, worker and schedule."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="default: loopback only")
        parser.add_argument(
            "--port", type=int, default=settings.PORT, help="pages; 0 takes a free one"
        )
        parser.add_argument("--data-dir", type=Path, default=settings.DATA_DIR)
        parser.add_argument("--reload", action="store_true", help="restart when code changes")
        parser.add_argument(
            "--demo", action="store_true", help="with a demo project and a scripted model"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        data_dir: Path = options["data_dir"].expanduser().resolve()
        if data_dir != settings.DATA_DIR or options["host"] != settings.HOST:
            self._again_with_environment(data_dir, options["host"])
        plan = supervisor.Plan(
            host=options["host"],
            port=options["port"],
            otlp_port=settings.OTLP_PORT,
            grpc_port=settings.GRPC_PORT,
            data_dir=data_dir,
            reload=options["reload"],
        )
        if options["demo"]:
            from traceroot_site import demo

            plan = demo.plan(plan)
        sys.exit(supervisor.run(plan))

    def _again_with_environment(self, data_dir: Path, host: str) -> None:
        """Settings are read once, from the environment: say there what the options say."""
        os.environ["TRACEROOT_DATA_DIR"] = str(data_dir)
        os.environ["TRACEROOT_HOST"] = host
        # A signal in between waits until manage.py has its handlers in place again.
        signal.pthread_sigmask(signal.SIG_BLOCK, supervisor.SIGNALS)
        os.execv(sys.executable, [sys.executable, *sys.argv])
