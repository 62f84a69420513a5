"""Rows of an INSERT as a file that the engine reads, kept in memory where the system can.

chDB's own stream of rows hides what goes wrong when they are committed: a full disk, a view that
fails, too many partitions are answered as if every row had been written (chDB 26.9). An INSERT
that selects from a file says it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def holding(rows: bytes, directory: Path) -> Iterator[str]:
    """A path under which this process can read `rows`. Without memory files, on the disk of
    `directory`, and gone from there with the process. Raises OSError.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("rows")
        folder = f"/proc/{os.getpid()}/fd"
    else:
        descriptor, name = tempfile.mkstemp(dir=directory)
        os.unlink(name)
        folder = "/dev/fd"
    try:
        view = memoryview(rows)
        while view:
            view = view[os.write(descriptor, view) :]
        yield f"{folder}/{descriptor}"
    finally:
        os.close(descriptor)
