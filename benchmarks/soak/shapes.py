"""The two shapes in which the product runs, as a campaign sees them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx

from tests.product import pages, processes, running, separate
from tests.product.running import Product
from tests.product.separate import Separate
from tests.product.waiting import until


class Shape(Protocol):
    name: str
    roles: Sequence[str]
    otlp_urls: list[str]
    api_key: str
    project_id: str

    def kill(self, role: str) -> None: ...

    @contextmanager
    def without_engine(self) -> Iterator[None]: ...

    def api(self, path: str, **parameters: str) -> httpx.Response: ...

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]: ...

    def page(self, path: str) -> str: ...

    def rows(self, sql: str) -> list[dict[str, Any]]: ...


def ask(url: str, token: str, sql: str) -> list[dict[str, Any]]:
    """What the engine itself says."""
    answer = httpx.post(
        url, content=f"{sql} FORMAT JSONEachRow", auth=("default", token), timeout=60
    )
    return [json.loads(line) for line in answer.raise_for_status().text.splitlines()]


class Embedded:
    """One command: the supervisor starts again what ends."""

    name = "embedded"
    roles: Sequence[str] = ("engine", "receiver", "web")

    def __init__(self, product: Product) -> None:
        self._product = product
        self.otlp_urls = [product.otlp_url, product.url]
        self.api_key, self.project_id = product.api_key, product.project_id

    def kill(self, role: str) -> None:
        pid = until(lambda: self._product.pid(role), role, seconds=60)
        os.kill(pid, signal.SIGKILL)

    @contextmanager
    def without_engine(self) -> Iterator[None]:
        os.kill(self._product.process.pid, signal.SIGSTOP)  # so that it does not start it again
        try:
            os.kill(self._product.pid("engine"), signal.SIGKILL)
            yield
        finally:
            os.kill(self._product.process.pid, signal.SIGCONT)

    def api(self, path: str, **parameters: str) -> httpx.Response:
        return self._product.api(path, **parameters)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._product.manage(*arguments)

    def page(self, path: str) -> str:
        product = self._product
        with pages.sign_in(product.url, product.email, product.password) as browser:
            return browser.get(path).raise_for_status().text

    def rows(self, sql: str) -> list[dict[str, Any]]:
        engine = json.loads((self._product.data_dir / "run" / "engine.json").read_text())
        return ask(engine["url"], engine["token"], sql)


class Apart:
    """A process each, PostgreSQL and Redis: started again as an orchestrator does."""

    name = "PostgreSQL and Redis"
    roles: Sequence[str] = ("engine", "receiver", "web", "worker", "beat")

    def __init__(self, installation: Separate) -> None:
        self._installation = installation
        self.otlp_urls = [installation.otlp_url, installation.url]
        self.api_key, self.project_id = installation.api_key, installation.project_id

    def kill(self, role: str) -> None:
        self._installation.kill(role)

    @contextmanager
    def without_engine(self) -> Iterator[None]:
        self._installation.is_engine_held = True
        try:
            self._installation.kill("engine")
            yield
        finally:
            self._installation.is_engine_held = False

    def api(self, path: str, **parameters: str) -> httpx.Response:
        return self._installation.api(path, **parameters)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._installation.manage(*arguments)

    def page(self, path: str) -> str:
        found = self._installation
        with pages.sign_in(found.url, separate.OWNER, separate.PASSWORD) as browser:
            return browser.get(path).raise_for_status().text

    def rows(self, sql: str) -> list[dict[str, Any]]:
        engine = self._installation.engine
        return ask(engine.url, engine.token, sql)


@contextmanager
def embedded(directory: Path) -> Iterator[Shape]:
    product = running.start(directory / "data")
    try:
        yield Embedded(product)
    finally:
        processes.kill_all(product.process.pid)
        product.destroy()


@contextmanager
def apart(directory: Path) -> Iterator[Shape]:
    with separate.installation(directory) as installation, installation.kept_running():
        yield Apart(installation)


SHAPES = {"embedded": embedded, "apart": apart}
