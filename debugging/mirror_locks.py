"""One process at a time updates a mirror. The lock dies with its holder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from debugging import git

LOCK_TIMEOUT_SECONDS = 330.0
_PAUSE_SECONDS = 0.05


class MirrorBusy(git.GitError):
    """Another process is fetching the same repository and did not finish in time."""


@contextmanager
def held(
    path: Path, location: str, timeout_seconds: float, stop_watch: Callable[[], None]
) -> Iterator[None]:
    """Waits for the lock, calling `stop_watch` meanwhile. Raises MirrorBusy."""
    deadline = time.monotonic() + timeout_seconds
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        while not _take(descriptor):
            stop_watch()
            if time.monotonic() > deadline:
                raise MirrorBusy(
                    f"{location} is being fetched by another process. Try again later."
                )
            time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
