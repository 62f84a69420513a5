"""`manage.py receiver`: OTLP over HTTP (uvicorn, raw ASGI) and gRPC in a process of its own."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from traces.store.engine import parent

if TYPE_CHECKING:
    from traces.otlp.grpc_receiver import Tls

log = logging.getLogger("traceroot_site.receiver")

_TAKEN_AT_ONCE = 1
_MAY_WAIT = 2048


class _Server(uvicorn.Server):
    """Takes one connection at a time, so that whoever is free takes the next: several processes
    listen on one socket, and the first to wake would have all that come together. asyncio has one
    number for that and for how many may wait in the kernel.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        for server in self.servers:
            for listener in server.sockets:
                with socket.socket(fileno=os.dup(listener.fileno())) as same:
                    same.listen(_MAY_WAIT)


class Command(BaseCommand):
    help = "Take OTLP over HTTP and gRPC."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.OTLP_PORT)
        parser.add_argument(
            "--fd", type=int, help="a listening socket handed down by the supervisor"
        )
        parser.add_argument(
            "--grpc-port", type=int, default=settings.GRPC_PORT, help="-1: no OTLP/gRPC"
        )
        parser.add_argument(
            "--grpc-is-reserved",
            action="store_true",
            help="the supervisor keeps the gRPC port for this process",
        )
        parser.add_argument("--parent-pid", type=int, help="stop when this process has ended")

    def handle(self, *args: Any, **options: Any) -> None:
        from traceroot_site.receiver import application
        from traces.otlp import memory

        memory.restrain()  # before there are threads, which would get heaps of their own
        if options["parent_pid"]:
            parent.watch(options["parent_pid"], lambda: os.kill(os.getpid(), signal.SIGTERM))
        sockets = [socket.socket(fileno=options["fd"])] if options["fd"] is not None else None
        server = _Server(
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
                backlog=_TAKEN_AT_ONCE,
            )
        )
        # uvicorn raises the signal again after serving; unhandled it would be the exit code.
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.signal(signal.SIGINT, lambda *_: None)
        asyncio.run(self._serve(server, sockets, options))

    async def _serve(
        self,
        server: uvicorn.Server,
        sockets: list[socket.socket] | None,
        options: dict[str, Any],
    ) -> None:
        """Both doors in one event loop; without gRPC's the other stays open."""
        from traces.otlp import endpoint, memory

        grpc = None
        if options["grpc_port"] >= 0:
            from traces.otlp.grpc_receiver import CannotListen

            tls = _tls()
            grpc = endpoint.grpc_receiver()
            try:
                port = await grpc.start(
                    options["host"],
                    options["grpc_port"],
                    tls=tls,
                    is_shared=options["grpc_is_reserved"],
                )
                log.info("grpc.listens port=%d tls=%s", port, tls is not None)
            except CannotListen as error:
                log.warning("grpc.not_served reason=%s", error)
        memory.collect_seldom()
        await server.serve(sockets=sockets)
        if grpc is not None:
            await grpc.stop()


def _tls() -> Tls | None:
    from traces.otlp.grpc_receiver import Tls

    certificate, key = settings.GRPC_CERT_FILE, settings.GRPC_KEY_FILE
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise CommandError(
            "OTLP/gRPC with TLS needs both TRACEROOT_GRPC_CERT_FILE and TRACEROOT_GRPC_KEY_FILE."
        )
    try:
        return Tls(Path(certificate).read_bytes(), Path(key).read_bytes())
    except OSError as error:
        raise CommandError(f"Cannot read {error.filename}: {error.strerror}.") from error
