"""The real product as people run it: `manage.py up` in a directory of its own, a subprocess."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.product import processes

ROOT = Path(__file__).resolve().parents[2]
MANAGE = ROOT / "manage.py"
START_SECONDS = 90.0
_SHOWN = {
    "url": r"TraceRoot is running:\s+(\S+)",
    "otlp_url": r"OTLP/HTTP endpoint:\s+(\S+)",
    "grpc_url": r"OTLP/gRPC endpoint:\s+(\S+)",
    "email": r"Sign in:\s+(\S+)",
    "password": r"Password:\s+(\S+)",
    "project_id": r"Project:.*\(([0-9a-f-]{36})\)",
    "api_key": r"API key:\s+(\S+)",
}


def environment(data_dir: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Of a product on free ports; nothing of the tests' own settings is in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRACEROOT_")}
    return {
        **kept,
        "TRACEROOT_DATA_DIR": str(data_dir),
        "TRACEROOT_PORT": "0",
        "TRACEROOT_OTLP_PORT": "0",
        "TRACEROOT_GRPC_PORT": "0",
        "TRACEROOT_SETTLE_QUIET_SECONDS": "1",
        **(more or {}),
    }


@dataclass
class Product:
    """One running product. The fields after `printed` are what it said of itself."""

    data_dir: Path
    process: subprocess.Popen[bytes]
    output: Path
    started_seconds: float
    url: str = ""
    otlp_url: str = ""
    grpc_url: str = ""
    email: str = ""
    password: str = ""
    project_id: str = ""
    api_key: str = ""
    environment: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def printed(self) -> str:
        return self.output.read_text()

    @property
    def pids(self) -> list[int]:
        return processes.of_session(self.process.pid)

    def pid(self, role: str) -> int:
        """0 while there is none."""
        return next((pid for pid in self.pids if processes.role(pid) == role), 0)

    def all_of(self, role: str) -> list[int]:
        return [pid for pid in self.pids if processes.role(pid) == role]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Exit code and seconds."""
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(30)
        return code, time.monotonic() - began

    def destroy(self) -> None:
        """Whatever is left of it, at the end of a test."""
        processes.kill_all(self.process.pid)
        self.process.wait(10)

    def manage(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A management command beside the running product."""
        return manage(*arguments, env={**self.environment, **more})

    def create_project(self, organization: str, project: str, owner_email: str) -> dict[str, Any]:
        done = self.manage(
            *("create_project", "--organization", organization),
            *("--project", project, "--owner-email", owner_email),
        )
        assert done.returncode == 0, done.stderr
        line: dict[str, Any] = json.loads(done.stdout)
        return line

    def api(self, path: str, *, api_key: str = "", **parameters: str) -> httpx.Response:
        """A read of the public API."""
        return httpx.get(
            f"{self.url}/api/v1/public/{path}",
            params=parameters,
            headers={"Authorization": f"Bearer {api_key or self.api_key}"},
            timeout=30,
        )


def manage(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(MANAGE), *arguments],
        env=dict(env),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def start(
    data_dir: Path, *arguments: str, more_environment: Mapping[str, str] | None = None
) -> Product:
    """Starts and waits until it says that it runs; fails the test when it ends instead."""
    env = environment(data_dir, more_environment)
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    output = data_dir.parent / f"{data_dir.name}-{time.monotonic_ns()}.out"
    began = time.monotonic()
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, str(MANAGE), "up", *arguments],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o022,
        )
    product = Product(data_dir, process, output, 0, environment=env)
    while "Stop with Ctrl-C" not in product.printed:
        if processes.is_over(process) or time.monotonic() - began > START_SECONDS:
            product.destroy()
            pytest.fail(f"It did not start (code {process.returncode}):\n{product.printed}")
        time.sleep(0.02)
    product.started_seconds = time.monotonic() - began
    for name, pattern in _SHOWN.items():
        found = re.search(pattern, product.printed)
        setattr(product, name, found.group(1) if found else "")
    return product


def start_fails(
    data_dir: Path, *arguments: str, more_environment: Mapping[str, str] | None = None
) -> str:
    """What a start that cannot succeed says; it must end with code 1 and without a traceback."""
    done = manage("up", *arguments, env=environment(data_dir, more_environment))
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    return " ".join(said.split())
