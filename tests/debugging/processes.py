"""What everybody on the machine can see of running processes."""

from __future__ import annotations

from pathlib import Path

import pytest


def shown() -> list[str]:
    """Arguments and environment of each process, as `ps eww` shows them."""
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("needs /proc to look at other processes")
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            texts = [(process / name).read_bytes() for name in ("cmdline", "environ")]
        except OSError:
            continue  # it ended meanwhile
        found.append(b"\0".join(texts).replace(b"\0", b" ").decode("utf-8", "replace"))
    return found


def processes_with(text: str) -> list[str]:
    return [one for one in shown() if text in one]
