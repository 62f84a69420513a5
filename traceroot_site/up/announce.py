"""What the supervisor prints: a line a step, then where to go, and how to send the first trace."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connections

from accounts.first_start import FirstAccount, ensure_first_account
from traceroot_site.up.terminal import say
from traces import first_trace

_EVERYWHERE = frozenset({"0.0.0.0", "::"})
HERE = frozenset({"127.0.0.1", "::1", "localhost"}) | _EVERYWHERE
"""Hosts to listen on that people here open as localhost."""
_ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    say(f"  {name} …", end="")
    began = time.monotonic()
    try:
        yield
    except BaseException:
        say(" failed")
        raise
    say(f" ready ({time.monotonic() - began:.1f} s)")


def warn(text: str) -> None:
    say(f"  ! {text}", stream=sys.stderr)


def first_account() -> FirstAccount | None:
    try:
        return ensure_first_account()
    finally:
        connections.close_all()


def ready(
    host: str, url: str, otlp_url: str, grpc_url: str, data_dir: Path, first: FirstAccount | None
) -> None:
    """`grpc_url` is empty where OTLP/gRPC is not served."""
    lines = ["", f"TraceRoot is running:  {url}", f"OTLP/HTTP endpoint:    {otlp_url}"]
    if grpc_url:
        lines.append(f"OTLP/gRPC endpoint:    {grpc_url}")
    lines += _from_elsewhere(host, url)
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
    say("\n".join(lines))


def _from_elsewhere(host: str, url: str) -> list[str]:
    """What other machines call it, where it listens for them. Pages open under one name only."""
    if host not in _EVERYWHERE:
        return []
    public = urlsplit(settings.PUBLIC_URL)
    if public.hostname not in HERE:
        return [f"It listens on all addresses of this machine; its pages: {settings.PUBLIC_URL}"]
    name, port = socket.gethostname(), urlsplit(url).port
    return [
        f"It listens on all addresses of this machine, {name}. For other machines to open its",
        f"pages, start it with TRACEROOT_PUBLIC_URL=http://{name}:{port}",
    ]


def already_running(running: dict[str, Any], data_dir: Path, wanted_port: int) -> None:
    """`wanted_port`: what this start would have taken; 0 for any."""
    if "url" not in running:
        say(f"TraceRoot is just starting or stopping in {data_dir}. Try again in a few seconds.")
        return
    say(
        f"TraceRoot is already running in {data_dir}: {running['url']} "
        f"(OTLP {running['otlp_url']}, process {running['pid']})."
    )
    if wanted_port not in {0, urlsplit(running["url"]).port}:
        say(
            f"Port {wanted_port} was not taken: one data directory is served at one address. To "
            "move it, stop that process first; for a second TraceRoot, give another --data-dir."
        )


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
