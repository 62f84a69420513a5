"""`manage.py web`: daphne with pages, API, sockets and OTLP; embedded, the worker and beat too."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from daphne.endpoints import build_endpoint_description_strings
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from traceroot_site.body_limits import BoundedServer
from traceroot_site.memory_return import MemoryReturn
from traces.otlp import endpoint, memory
from traces.otlp.limits import limits_from_settings
from traces.store.engine import parent

log = logging.getLogger("traceroot_site.web")


class Command(BaseCommand):
    help = "Serve pages, API, sockets and OTLP."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument(
            "--fd", type=int, help="a listening socket handed down by the supervisor"
        )
        parser.add_argument("--parent-pid", type=int, help="stop when this process has ended")
        parser.add_argument(
            "--no-worker",
            action="store_true",
            help="workers run elsewhere (always so with REDIS_URL)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from traceroot_site.asgi import application

        memory.restrain()  # before there are threads, which would get heaps of their own
        if options["parent_pid"]:
            parent.watch(options["parent_pid"], lambda: os.kill(os.getpid(), signal.SIGTERM))
        if options["fd"] is not None:
            endpoints = [f"fd:fileno={options['fd']}"]
        else:
            endpoints = build_endpoint_description_strings(
                host=options["host"], port=options["port"]
            )
        worker = None
        if not options["no_worker"] and not settings.REDIS_URL:
            from traceroot_site.embedded_worker import EmbeddedWorker
            from traces.tasks import settle_all

            worker = EmbeddedWorker()
            worker.start()
            settle_all.delay()  # what was quiet when the last run ended
        faulthandler.enable()
        memory_return = MemoryReturn()
        memory_return.start()
        BoundedServer(
            application,
            endpoints=endpoints,
            signal_handlers=True,
            application_close_timeout=1,
            http_timeout=120,
            server_name=None,
            limits=limits_from_settings(),
            tell=endpoint.tell,
        ).run()
        memory_return.stop()
        if worker is not None:
            worker.stop()
        connections.close_all()
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        # Sockets and tasks that outlive the server would be torn down under a dying interpreter.
        os._exit(0)
