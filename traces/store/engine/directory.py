"""The engine's directory on disk: one engine at a time, no leftovers of the one before."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO

LOCK_NAME = "engine.lock"
# chDB makes its own tree in here; the lock stays beside it.
STORE_NAME = "store"


class DirectoryInUse(Exception):
    """Another engine has the directory."""


class DirectoryUnusable(Exception):
    """The directory cannot be made or written."""


def claim(path: Path) -> IO[str]:
    """Make the directory and lock it for as long as the returned file stays open.

    chDB would notice a second engine too, but only with "Error initializing EmbeddedServer".
    Raises DirectoryInUse or DirectoryUnusable.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = open(path / LOCK_NAME, "a+", encoding="ascii")  # noqa: SIM115  # kept open
    except OSError as error:
        raise DirectoryUnusable(
            f"The engine cannot write to {path}: {error.strerror}. Choose another directory or "
            "change its owner."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        owner = lock.read(20).strip()
        lock.close()
        raise DirectoryInUse(
            f"Another engine{f' (process {owner})' if owner else ''} is using {path}. Stop it, or "
            "choose another directory."
        ) from error
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def clear_leftovers(path: Path) -> None:
    """Remove what queries of a killed engine had spilled to disk. Only with the claim held."""
    spilled = path / STORE_NAME / "tmp"
    if not spilled.is_dir():
        return
    for entry in spilled.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def write_atomically(path: Path, text: str) -> None:
    """Put a whole file in place at once, readable by its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
