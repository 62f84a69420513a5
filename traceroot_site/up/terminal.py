"""Saying something on a terminal that may have gone: `up | head` must not end the product."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def say(text: str, *, end: str = "\n", stream: TextIO | None = None) -> None:
    """Prints and flushes; once nobody reads the stream, its text is dropped."""
    stream = stream or sys.stdout
    try:
        print(text, end=end, file=stream, flush=True)
    except BrokenPipeError:
        drop(stream)


def drop(stream: TextIO) -> None:
    """What is still in the stream's buffer, and all that follows, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
