"""What must be true before anything starts; each failure is a sentence for a person."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import socket
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_MIN_FREE_BYTES = 200 * 1024**2
UMASK = 0o077
"""Of all processes of `up`: data, logs and addresses are for their owner only."""


class CannotStart(Exception):
    """A reason that a person can do something about."""


class AlreadyRunning(Exception):
    """Another start has the data directory; `running` is what it wrote about itself."""

    def __init__(self, running: dict[str, Any]) -> None:
        super().__init__("TraceRoot is already running in this data directory.")
        self.running = running


def prepare_directory(directory: Path) -> None:
    """Make the data directory and its parts; raises CannotStart when it cannot be used."""
    parts = (directory, directory / "run", directory / "logs", directory / "static")
    try:
        for part in parts:
            part.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
        with tempfile.TemporaryFile(dir=directory) as probe:
            probe.write(b"\0" * 4096)
            probe.flush()
        for part in parts:
            _close_to_others(part)
    except OSError as error:
        raise CannotStart(_about(directory, error)) from error
    free = shutil.disk_usage(directory).free
    if free < _MIN_FREE_BYTES:
        raise CannotStart(
            f"The disk of {directory} is almost full: {free // 1024**2} MB are free, at least "
            f"{_MIN_FREE_BYTES // 1024**2} MB are needed. Free some space, or choose another "
            "directory with --data-dir."
        )


def _about(directory: Path, error: OSError) -> str:
    if error.errno in {errno.EEXIST, errno.ENOTDIR}:
        return _in_the_way(directory, Path(error.filename or directory))
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return (
            f"The disk of {directory} is full. Free some space, or choose another directory with "
            "--data-dir."
        )
    return (
        f"Cannot write to the data directory {directory}: {error.strerror}. Change its owner, or "
        "choose another with --data-dir or TRACEROOT_DATA_DIR."
    )


def _in_the_way(directory: Path, wanted: Path) -> str:
    """About what is no directory but stands where `wanted` or one of its parents should."""
    found = next(
        (path for path in (wanted, *wanted.parents) if os.path.lexists(path) and not path.is_dir()),
        wanted,
    )
    return (
        f"{directory} cannot be the data directory: {found} is "
        f"{'a file' if found.is_file() else 'not a directory'}. Move that away, or choose another "
        "data directory with --data-dir or TRACEROOT_DATA_DIR."
    )


def _close_to_others(directory: Path) -> None:
    """The files in it that an earlier start, or a command, left open to other people."""
    for entry in os.scandir(directory):
        # A start that runs here removes files meanwhile; what belongs to others is theirs.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISREG(mode) and mode & UMASK:
                os.chmod(entry.path, stat.S_IMODE(mode) & ~UMASK)


@dataclass(frozen=True, slots=True)
class Claim:
    """Holds the data directory for as long as `lock` is open.

    `was_killed`: the start before had no time to clean up, so its processes may still be ending.
    """

    lock: IO[str]
    was_killed: bool


def claim(directory: Path) -> Claim:
    """Raises AlreadyRunning."""
    path = directory / "run" / "up.json"
    lock = open(path, "a+", encoding="utf-8")  # noqa: SIM115 - stays open for the life of the process
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        running = _description(lock)
        lock.close()
        raise AlreadyRunning(running) from None
    os.set_inheritable(lock.fileno(), False)
    was_killed = bool(_description(lock))
    describe(lock, {"pid": os.getpid()})
    return Claim(lock, was_killed)


def _description(lock: IO[str]) -> dict[str, Any]:
    lock.seek(0)
    description: dict[str, Any] = {}
    with contextlib.suppress(ValueError):  # empty, or the other one is writing it
        description = json.loads(lock.read())
    return description


def describe(lock: IO[str], facts: dict[str, Any]) -> None:
    """Leave for a second start what runs here and where."""
    lock.seek(0)
    lock.truncate(0)
    json.dump(facts, lock)
    lock.flush()


def reserve(host: str, port: int, *, purpose: str, option: str) -> socket.socket:
    """A socket that holds an address for a process which makes its own; it takes no connection.

    Raises CannotStart when the address is taken.
    """
    # Looked at without sharing first: two that share a port would be given connections in turns.
    probe = _bound(host, port, purpose=purpose, option=option)
    port = probe.getsockname()[1]
    probe.close()
    return _bound(host, port, purpose=purpose, option=option, is_shared=True)


def listen(host: str, port: int, *, purpose: str, option: str) -> socket.socket:
    """A listening socket; children get it handed down, so that a restart loses no connection.

    Port 0 takes a free one. Raises CannotStart when the address is taken.
    """
    listener = _bound(host, port, purpose=purpose, option=option)
    listener.listen(1024)
    return listener


def _bound(
    host: str, port: int, *, purpose: str, option: str, is_shared: bool = False
) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(
                f"Port {port}, for {purpose}, is in use by another program. Stop that, or choose "
                f"another port with {option} (0 takes a free one)."
            ) from error
        raise CannotStart(
            f"Cannot listen on {host}:{port} for {purpose}: {error.strerror}."
        ) from error
    except OverflowError as error:
        listener.close()
        raise CannotStart(f"{port} is not a port: use 0 to 65535 with {option}.") from error
    return listener
