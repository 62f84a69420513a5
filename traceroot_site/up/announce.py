"""What the supervisor prints: a line a step, then where to go, and how to send the first trace."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connections

from accounts.first_start import FirstAccount, ensure_first_account
from traces import first_trace

_ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    print(f"  {name} …", end="", flush=True)
    began = time.monotonic()
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" ready ({time.monotonic() - began:.1f} s)", flush=True)


def warn(text: str) -> None:
    print(f"  ! {text}", file=sys.stderr, flush=True)


def first_account() -> FirstAccount | None:
    try:
        return ensure_first_account()
    finally:
        connections.close_all()


def ready(
    url: str, otlp_url: str, grpc_url: str, data_dir: Path, first: FirstAccount | None
) -> None:
    """`grpc_url` is empty where OTLP/gRPC is not served."""
    lines = ["", f"TraceRoot is running:  {url}", f"OTLP/HTTP endpoint:    {otlp_url}"]
    if grpc_url:
        lines.append(f"OTLP/gRPC endpoint:    {grpc_url}")
    if first is not None:
        lines += [
            "",
            "This is the first start. Keep these; they are not shown again:",
            f"  Sign in:   {first.email}",
            f"  Password:  {first.password}",
            f"  Project:   {first.project_name} ({first.project_id})",
            f"  API key:   {first.api_key}",
            "",
            "Send a first trace (copy all of it):",
            "",
            # From the margin on: what is copied is run, and the end of its text stands alone.
            first_trace.with_sdk(url, first.api_key),
        ]
    lines += ["", f"Data and logs are in {data_dir}. Stop with Ctrl-C.", ""]
    print("\n".join(lines), flush=True)


def already_running(running: dict[str, Any], data_dir: Path) -> None:
    if "url" in running:
        print(
            f"TraceRoot is already running in {data_dir}: {running['url']} "
            f"(OTLP {running['otlp_url']}, process {running['pid']})."
        )
    else:
        print(f"TraceRoot is just starting or stopping in {data_dir}. Try again in a few seconds.")


class Changes:
    """Whether a Python file of the project changed since the last look (development only)."""

    def __init__(self) -> None:
        self._seen = self._look()

    def happened(self) -> bool:
        now = self._look()
        changed, self._seen = now != self._seen, now
        return changed

    @staticmethod
    def _look() -> dict[str, int]:
        found = {}
        for package in (
            "traceroot_site",
            "traces",
            "detectors",
            "debugging",
            "accounts",
            "integrations",
        ):
            for directory, _, files in os.walk(_ROOT / package):
                for name in files:
                    if name.endswith((".py", ".sql")):
                        path = os.path.join(directory, name)
                        with contextlib.suppress(FileNotFoundError):
                            found[path] = os.stat(path).st_mtime_ns
        return found
