"""Lends a text to child processes as a file that never lies on a disk: a token must not outlive a
worker that is killed, nor stand in an environment or on a command line.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PrivateFile:
    """`path` can be opened, as often as they like, by children that inherit `descriptors`."""

    path: str
    descriptors: tuple[int, ...] = ()


@contextmanager
def lend(text: str) -> Iterator[PrivateFile]:
    """The file is there while the body runs. Systems without files in memory (macOS) get one that
    only this user can read, in a directory of its own."""
    data = text.encode("utf-8", "surrogateescape")
    if not hasattr(os, "memfd_create"):
        with tempfile.TemporaryDirectory(prefix="traceroot-") as folder:
            path = Path(folder) / "file"
            path.touch(mode=0o600)
            path.write_bytes(data)
            yield PrivateFile(str(path))
        return
    descriptor = os.memfd_create("traceroot")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        # Opening the link begins at the start of the file each time, whoever read it before.
        yield PrivateFile(f"/proc/self/fd/{descriptor}", (descriptor,))
    finally:
        os.close(descriptor)
