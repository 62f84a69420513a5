"""Gives memory back to the system after large requests, and keeps the collector out of the way.

The C library keeps what is freed: blocks up to 32 MiB come from heaps once one of that size was
freed, and each thread has heaps of its own. A few bodies of the largest size would stay resident
until the process ends. Elsewhere than on glibc nothing is done.
https://www.man7.org/linux/man-pages/man3/mallopt.3.html
"""

from __future__ import annotations

import ctypes
import gc
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_OWN_MAPPING_BYTES = 4 * 1024**2
_KEPT_BYTES = 32 * 1024**2
_HEAPS = 2
_NEW_OBJECTS, _YOUNG_ROUNDS, _OLD_ROUNDS = 50_000, 20, 50


def collect_seldom() -> None:
    """Once everything is loaded: what is there now is not looked at again, what is new rarely.

    A request of 200 spans makes some ten thousand objects, nearly all of which die with it and
    without a cycle. At Python's default, looking for cycles took a third of the time of decoding.
    https://docs.python.org/3/library/gc.html#gc.set_threshold
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_ROUNDS, _OLD_ROUNDS)


def restrain() -> None:
    """For the whole process: large blocks are mapped alone, and gone when they are freed."""
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_M_MMAP_THRESHOLD, _OWN_MAPPING_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        libc.mallopt(_M_ARENA_MAX, _HEAPS)


def trim() -> None:
    """Give back what lies free between blocks in use; takes a millisecond or two."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    try:
        libc = ctypes.CDLL(None)
    except (OSError, TypeError):  # no such thing on this system
        return None
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
