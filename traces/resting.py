"""Rest after work that took long, so that what is woken each second takes a share of the processor.

Under load fewer and larger batches do the same work for less: what a batch reads of the store is
mostly what lies around the rows that it is for.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache

LONGEST_SECONDS = 5
_TIMES = 4
"""So many times as long as the work took."""
_FREE_SECONDS = 0.25
"""Work as short as this needs no rest."""


def is_due(name: str) -> bool:
    return cache.get(f"rests:{name}") is None


@contextmanager
def afterwards(name: str) -> Iterator[None]:
    """Until then `is_due` says no, in every process that shares the cache."""
    began = time.monotonic()
    try:
        yield
    finally:
        took = time.monotonic() - began
        if took > _FREE_SECONDS:
            seconds = min(LONGEST_SECONDS, math.ceil(took * _TIMES))
            cache.set(f"rests:{name}", True, timeout=seconds)
