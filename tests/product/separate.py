"""The product as in production: processes of their own, PostgreSQL, Redis and an engine."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.product import servers
from tests.product.running import MANAGE, ROOT, environment, manage
from tests.product.waiting import until
from traces.store.engine.process import EngineProcess, EngineStartFailed

OWNER, PASSWORD = "ada@acme.example", "a-long-passphrase-of-ada"
_CELERY = [sys.executable, "-m", "celery", "-A", "traceroot_site"]
COMMANDS = {
    "web": [sys.executable, str(MANAGE), "web", "--no-worker"],
    "receiver": [sys.executable, str(MANAGE), "receiver"],
    "worker": [*_CELERY, "worker", "--concurrency", "2", "--loglevel", "INFO"],
    "beat": [*_CELERY, "beat", "--loglevel", "INFO"],
}


@dataclass
class Separate:
    """A running installation. What is killed stays away until `kept_running`."""

    url: str
    otlp_url: str
    database_url: str
    project_id: str
    api_key: str
    logs: Path
    engine: EngineProcess
    environment: Mapping[str, str] = field(repr=False)
    is_engine_held: bool = False
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def api(self, path: str, **parameters: str) -> httpx.Response:
        return httpx.get(
            f"{self.url}/api/v1/public/{path}",
            params=parameters,
            headers={"Authorization": f"Bearer {self.api_key}"},
            timeout=30,
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(sql.encode()).fetchall()

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return manage(*arguments, env=self.environment)

    def start(self, role: str) -> None:
        with (self.logs / f"{role}.log").open("ab") as sink:
            self._processes[role] = subprocess.Popen(
                COMMANDS[role],
                env=dict(self.environment),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, role: str) -> None:
        """`kill -9`, of a worker with its children: as when its container ends."""
        if role == "engine":
            self.engine.kill()
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._processes[role].pid, signal.SIGKILL)

    def stop(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for role, process in self._processes.items():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill(role)
                process.wait(10)

    @contextmanager
    def kept_running(self) -> Iterator[None]:
        """Whatever ends is started again, as an orchestrator does."""
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(0.2):
                if not self.engine.is_running and not self.is_engine_held:
                    with contextlib.suppress(EngineStartFailed):
                        self.engine.start()
                for role, process in list(self._processes.items()):
                    if process.poll() is not None and not stop.is_set():
                        self.start(role)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(60)


@contextmanager
def installation(directory: Path) -> Iterator[Separate]:
    """Everything of it ends with the block."""
    with ExitStack() as stack:
        database_url = stack.enter_context(servers.postgresql())
        redis_url = stack.enter_context(servers.redis())
        engine = EngineProcess(directory / "engine", token=secrets.token_hex(16))
        engine.start()
        stack.callback(engine.stop)
        web_port, otlp_port = servers.free_port(), servers.free_port()
        settings = {
            **environment(directory / "data"),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CLICKHOUSE_URL": f"http://default:{engine.token}@127.0.0.1:{engine.port}/default",
            "TRACEROOT_SECRET_KEY": secrets.token_urlsafe(48),
            "TRACEROOT_PORT": str(web_port),
            "TRACEROOT_OTLP_PORT": str(otlp_port),
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        for command in (
            ["migrate", "--verbosity", "0"],
            ["migrate_clickhouse"],
            ["seed_schedule"],
            ["createsuperuser", "--noinput", "--email", OWNER],
        ):
            done = manage(*command, env=settings)
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        made = json.loads(
            manage(
                *("create_project", "--organization", "Acme", "--project", "Support"),
                *("--owner-email", OWNER),
                env=settings,
            ).stdout
        )
        logs = directory / "logs"
        logs.mkdir()
        found = Separate(
            url=f"http://localhost:{web_port}",
            otlp_url=f"http://localhost:{otlp_port}",
            database_url=database_url,
            project_id=made["project_id"],
            api_key=made["api_key"],
            logs=logs,
            engine=engine,
            environment=settings,
        )
        stack.callback(found.stop)
        for role in COMMANDS:
            found.start(role)
        for url in (found.url, found.otlp_url):
            until(lambda url=url: is_ready(url), f"{url} ready", seconds=60)  # type: ignore[misc]
        yield found


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=10).status_code == 200
    except httpx.HTTPError:
        return False
