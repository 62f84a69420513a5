"""What is left in the token buckets of projects, shared by the processes of one data directory.

A file of slots in memory: projects without a limit have none, and a process that is killed leaves
at most one charge out. Where there can be no such file each process counts for itself.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

log = logging.getLogger(__name__)

_SLOT = struct.Struct("<16sdd")
_SLOTS = 8_192
_TRIES = 16
_SIZE = _SLOT.size * _SLOTS
_NOBODY = bytes(16)


class Buckets:
    """`held` is the lock for reading and writing. Figures are spans left and the second since the
    epoch at which that was so."""

    def __init__(self, file: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._file = file
        self._descriptor = -1
        self._slots: mmap.mmap | bytearray = bytearray(_SIZE)

    def _share(self, file: Path) -> None:
        self._file = None
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.ftruncate(self._descriptor, _SIZE)
            self._slots = mmap.mmap(self._descriptor, _SIZE)
        except OSError as error:
            log.warning("rates.not_shared reason=%s", error)

    @contextmanager
    def held(self) -> Iterator[None]:
        with self._lock:
            if self._file is not None:
                self._share(self._file)
            if self._descriptor < 0:
                yield
                return
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def read(self, project_id: UUID) -> tuple[float, float] | None:
        """None of a project that is not known."""
        owner, left, at = _SLOT.unpack_from(self._slots, self._place(project_id))
        return (left, at) if owner == project_id.bytes else None

    def write(self, project_id: UUID, left: float, at: float) -> None:
        _SLOT.pack_into(self._slots, self._place(project_id), project_id.bytes, left, at)

    def _place(self, project_id: UUID) -> int:
        """The project's slot, else a free one, else that of who was quiet for longest."""
        first = project_id.int % _SLOTS
        oldest, oldest_at = 0, float("inf")
        for step in range(_TRIES):
            place = (first + step) % _SLOTS * _SLOT.size
            owner, _, at = _SLOT.unpack_from(self._slots, place)
            if owner in (project_id.bytes, _NOBODY):
                return place
            if at < oldest_at:
                oldest, oldest_at = place, at
        return oldest
