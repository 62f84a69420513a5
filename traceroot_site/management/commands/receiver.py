"""`manage.py receiver`: OTLP/HTTP in a process of its own (uvicorn, raw ASGI)."""

from __future__ import annotations

import os
import signal
import socket
from argparse import ArgumentParser
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand

from traces.store.engine import parent


class Command(BaseCommand):
    help = "Take OTLP over HTTP."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.OTLP_PORT)
        parser.add_argument(
            "--fd", type=int, help="a listening socket handed down by the supervisor"
        )
        parser.add_argument("--parent-pid", type=int, help="stop when this process has ended")

    def handle(self, *args: Any, **options: Any) -> None:
        from traceroot_site.receiver import application

        if options["parent_pid"]:
            parent.watch(options["parent_pid"], lambda: os.kill(os.getpid(), signal.SIGTERM))
        sockets = [socket.socket(fileno=options["fd"])] if options["fd"] is not None else None
        server = uvicorn.Server(
            uvicorn.Config(
                application,
                host=options["host"],
                port=options["port"],
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                http="httptools",
                timeout_graceful_shutdown=2,
                timeout_keep_alive=75,
            )
        )
        # uvicorn raises the signal again after serving; unhandled it would be the exit code.
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.signal(signal.SIGINT, lambda *_: None)
        server.run(sockets=sockets)
