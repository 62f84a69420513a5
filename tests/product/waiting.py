"""Waiting for what becomes true in another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")


def until(look: Callable[[], T], what: str, *, seconds: float = 20, pause: float = 0.05) -> T:
    """What `look` returns as soon as that is true; fails the test when `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"After {seconds:g} s still waiting for: {what}. Last seen: {found!r}")
        time.sleep(pause)
