"""Starts engine, receiver and web in order, keeps them running, stops them together.

Every step prints a line. Whatever ends is started again with a growing pause; the listening sockets
belong to the supervisor, so a connection made meanwhile waits instead of failing.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.utils import DatabaseError

from traceroot_site import schedule
from traceroot_site.up import announce, preflight, terminal
from traceroot_site.up.children import Child
from traces.store import client, schema
from traces.store.engine.directory import write_atomically
from traces.store.engine.process import EngineProcess, EngineStartFailed
from traces.store.errors import StoreError

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_READY_SECONDS = 60
_STOP_SECONDS = 3.2
_LEFTOVER_SECONDS = 6.0
_opener = build_opener(ProxyHandler({}))
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start and where. Port 0 is any free one; `after_start` runs once all answers."""

    host: str
    port: int
    otlp_port: int
    grpc_port: int
    data_dir: Path
    reload: bool = False
    child_environment: dict[str, str] | None = None
    after_start: Callable[[str], Child | None] | None = None


class Supervisor:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._stop = threading.Event()
        self._engine: EngineProcess | None = None
        self._engine_failures = 0
        self._children: list[Child] = []
        self._sockets: list[socket.socket] = []
        self._claim: preflight.Claim | None = None

    def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises CannotStart or AlreadyRunning; then nothing runs."""
        for number in SIGNALS:
            signal.signal(number, lambda *_: self._stop.set())
        os.umask(preflight.UMASK)
        preflight.prepare_directory(self._plan.data_dir)
        self._claim = preflight.claim(self._plan.data_dir)
        try:
            self._start()
            self._watch()
        finally:
            self._shut_down()

    def _start(self) -> None:
        """Step by step; a signal meanwhile ends it after the step that runs."""
        plan = self._plan
        web = self._listen(plan.host, plan.port, "the pages", "--port or TRACEROOT_PORT")
        otlp = self._listen_otlp()
        grpc = self._reserve_grpc() if otlp is not None else None
        for title, prepare in (
            ("Trace store", self._start_engine),
            ("Database", _migrate),
            ("Trace tables", _migrate_store),
        ):
            if self._stop.is_set():
                return
            with announce.step(title):
                prepare()
        if self._stop.is_set():
            return
        self._start_children(web, otlp, grpc)
        if not self._stop.is_set():
            grpc_url = _url(plan.host, grpc) if grpc is not None else ""
            self._announce(_url(plan.host, web), _url(plan.host, otlp or web), grpc_url)

    def _start_children(
        self, web: socket.socket, otlp: socket.socket | None, grpc: socket.socket | None
    ) -> None:
        plan = self._plan
        environment = {
            **(plan.child_environment or {}),
            "TRACEROOT_PORT": str(web.getsockname()[1]),
            "TRACEROOT_HOST": plan.host,
            "TRACEROOT_OTLP_PORT": str((otlp or web).getsockname()[1]),
        }
        starting = []
        if otlp is not None:
            door = _grpc_arguments(plan.host, grpc)
            # Python runs on one processor a process; all of them take from the same door.
            for _ in range(settings.RECEIVERS):
                child = self._start_child("receiver", otlp, environment, door)
            starting.append(("Receiver", child, otlp))
        starting.append(
            ("Web, worker and schedule", self._start_child("web", web, environment), web)
        )
        for title, child, listener in starting:
            with announce.step(title):
                self._wait_until_ready(child, _url(_reachable(plan.host), listener))

    def _announce(self, url: str, otlp_url: str, grpc_url: str) -> None:
        """The first account is made last: what was never shown could never be used."""
        first = announce.first_account()
        data_dir = self._plan.data_dir
        assert self._claim is not None
        preflight.describe(
            self._claim.lock,
            {
                "url": url,
                "otlp_url": otlp_url,
                "grpc_url": grpc_url,
                "pid": os.getpid(),
                "data_dir": str(data_dir),
            },
        )
        announce.ready(self._plan.host, url, otlp_url, grpc_url, data_dir, first)
        if self._plan.after_start is not None:
            extra = self._plan.after_start(url)
            if extra is not None:
                self._children.append(extra)

    def _patiently(self, attempt: Callable[[], T]) -> T:
        """Try for some seconds after a start that was killed: what it started is about to end."""
        was_killed = self._claim is not None and self._claim.was_killed
        deadline = time.monotonic() + (_LEFTOVER_SECONDS if was_killed else 0)
        while True:
            try:
                return attempt()
            except preflight.CannotStart:
                if self._stop.wait(0.1) or time.monotonic() >= deadline:
                    raise

    def _listen(self, host: str, port: int, purpose: str, option: str) -> socket.socket:
        listener = self._patiently(
            lambda: preflight.listen(host, port, purpose=purpose, option=option)
        )
        self._sockets.append(listener)
        return listener

    def _listen_otlp(self) -> socket.socket | None:
        """None when the port is taken, often by another collector: the web port takes OTLP too."""
        try:
            return self._listen(
                self._plan.host, self._plan.otlp_port, "OTLP", "TRACEROOT_OTLP_PORT"
            )
        except preflight.CannotStart as error:
            announce.warn(f"{error} Until then OTLP is taken on the web port only.")
            return None

    def _reserve_grpc(self) -> socket.socket | None:
        """None when the port is taken; gRPC makes its own listener, next to the one kept here."""
        plan = self._plan
        try:
            kept = self._patiently(
                lambda: preflight.reserve(
                    plan.host, plan.grpc_port, purpose="OTLP/gRPC", option="TRACEROOT_GRPC_PORT"
                )
            )
        except preflight.CannotStart as error:
            announce.warn(f"{error} Until then OTLP is taken over HTTP only.")
            return None
        self._sockets.append(kept)
        return kept

    def _start_engine(self) -> None:
        if settings.CLICKHOUSE_URL:
            return
        self._engine = EngineProcess(
            self._plan.data_dir / "engine",
            token=secrets.token_urlsafe(32),
            log_path=self._plan.data_dir / "logs" / "engine.log",
            max_memory_bytes=settings.ENGINE_MAX_MEMORY_BYTES,
        )
        self._patiently(self._begin_engine)
        write_atomically(
            client.engine_file(), json.dumps({"url": self._engine.url, "token": self._engine.token})
        )

    def _begin_engine(self) -> None:
        assert self._engine is not None
        try:
            self._engine.start()
        except EngineStartFailed as error:
            raise preflight.CannotStart(str(error)) from error

    def _start_child(
        self,
        name: str,
        listener: socket.socket,
        environment: dict[str, str],
        arguments: Sequence[str] = (),
    ) -> Child:
        child = Child(
            name=name,
            arguments=[name, "--fd", str(listener.fileno()), *arguments],
            log_path=self._plan.data_dir / "logs" / f"{name}.log",
            environment=environment,
            descriptors=[listener.fileno()],
        )
        child.start()
        self._children.append(child)
        return child

    def _wait_until_ready(self, child: Child, url: str) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and not self._stop.is_set():
            if not child.is_running:
                raise preflight.CannotStart(
                    f"{child.name} ended at its start. The end of {child.log_path}:\n"
                    f"{child.log_tail()}"
                )
            try:
                with _opener.open(
                    Request(f"{url}/livez", headers={"Host": "localhost"}), timeout=2
                ):
                    return
            except (URLError, OSError):
                time.sleep(0.05)
        if not self._stop.is_set():
            raise preflight.CannotStart(
                f"{child.name} did not answer within {_READY_SECONDS} s. See {child.log_path}."
            )

    def _watch(self) -> None:
        changed = announce.Changes() if self._plan.reload else None
        while not self._stop.wait(0.2):
            if self._engine is not None and not self._engine.is_running:
                self._restart_engine()
            for child in self._children:
                code = child.exit_code
                if child.restart_if_ended():
                    announce.warn(
                        f"{child.name} ended with code {code} and was started again "
                        f"({child.log_path})."
                    )
            if changed is not None and changed.happened():
                announce.warn("Code changed: restarting.")
                for child in self._children:
                    child.terminate()

    def _restart_engine(self) -> None:
        assert self._engine is not None
        announce.warn(
            f"The trace store ended with code {self._engine.exit_code}; starting it again."
        )
        try:
            self._engine.start()
            self._engine_failures = 0
        except EngineStartFailed as error:
            self._engine_failures += 1
            announce.warn(str(error))
            self._stop.wait(min(30, 2**self._engine_failures))

    def _shut_down(self) -> None:
        """Web and receiver first, so that what they write still finds the engine."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        deadline = time.monotonic() + _STOP_SECONDS
        for child in self._children:
            child.terminate()
        for child in self._children:
            child.wait_or_kill(deadline)
        if self._engine is not None:
            self._engine.stop(timeout_seconds=1.5)
            client.engine_file().unlink(missing_ok=True)
        for listener in self._sockets:
            listener.close()
        if self._claim is not None:
            preflight.describe(self._claim.lock, {})
            self._claim.lock.close()


def _migrate() -> None:
    try:
        for alias in connections:
            call_command("migrate", database=alias, verbosity=0, interactive=False)
        schedule.seed()
    except DatabaseError as error:
        raise preflight.CannotStart(
            f"The database cannot be brought up to date: {error}"
        ) from error
    finally:
        connections.close_all()


def _migrate_store() -> None:
    try:
        schema.apply()
    except StoreError as error:
        raise preflight.CannotStart(
            f"The trace store cannot be brought up to date: {error}"
        ) from error
    finally:
        client.forget()


def _grpc_arguments(host: str, kept: socket.socket | None) -> list[str]:
    if kept is None:
        return ["--grpc-port", "-1"]
    return ["--host", host, "--grpc-port", str(kept.getsockname()[1]), "--grpc-is-reserved"]


def _reachable(host: str) -> str:
    """Where this machine reaches a listener of `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _url(host: str, listener: socket.socket) -> str:
    address: tuple[Any, ...] = listener.getsockname()
    shown = "localhost" if host in announce.HERE else host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{address[1]}"


def run(plan: Plan) -> int:
    """Supervise until stopped; the exit code: 0 stopped or already running, 1 cannot start."""
    try:
        Supervisor(plan).run()
    except preflight.AlreadyRunning as error:
        announce.already_running(error.running, plan.data_dir, plan.port)
    except preflight.CannotStart as error:
        terminal.say(f"\n{error}", stream=sys.stderr)
        return 1
    return 0
