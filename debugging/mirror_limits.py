"""What one update of a mirror may take: bytes on disk, seconds, and somebody who still wants it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from debugging import git

SIZE_LIMIT_BYTES = 2 * 1024**3
FETCH_TIMEOUT_SECONDS = 300.0


class MirrorTooLarge(git.GitError):
    """The repository is larger than the limit; nothing new of it was kept."""


def nobody_stops() -> None:
    """The watch of a fetch that runs to its end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`stop_watch` is called a few times a second; what it raises ends the update and rises."""

    size_bytes: int = SIZE_LIMIT_BYTES
    timeout_seconds: float = FETCH_TIMEOUT_SECONDS
    stop_watch: Callable[[], None] = nobody_stops
    started: float = field(default_factory=time.monotonic)

    def left_seconds(self) -> float:
        return max(1.0, self.timeout_seconds - (time.monotonic() - self.started))

    def watch(self, directory: Path, location: str) -> Callable[[], None]:
        """For git.run while it writes to `directory`: looks at the size as well."""
        next_look = 0.0

        def look() -> None:
            nonlocal next_look
            self.stop_watch()
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + git.TICK_SECONDS
                self.check_size(directory, location)

        return look

    def check_size(self, directory: Path, location: str) -> None:
        """Raises MirrorTooLarge."""
        if _size_bytes(directory) > self.size_bytes:
            raise MirrorTooLarge(
                f"{location} is larger than {_megabytes(self.size_bytes)}, the limit for "
                "repositories here. Give a smaller repository that holds the agent's source."
            )


def _size_bytes(directory: Path) -> int:
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue  # git renames its temporary packs while we look
    return total


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:,.0f} MB"
