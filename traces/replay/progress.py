"""Tells a person how far sending is: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import time
from typing import TextIO

BAR_WIDTH = 28
BAR_SECONDS = 0.1
LINE_SECONDS = 5.0


class Progress:
    """`total_bytes` 0 means unknown: then there is a count without a bar."""

    def __init__(self, out: TextIO, total_bytes: int) -> None:
        self._out = out
        self._total_bytes = total_bytes
        self._is_terminal = out.isatty()
        self._started = time.monotonic()
        self._shown_at = self._started

    def show(self, position_bytes: int, requests: int, spans: int) -> None:
        now = time.monotonic()
        if now - self._shown_at < (BAR_SECONDS if self._is_terminal else LINE_SECONDS):
            return
        self._shown_at = now
        text = f"{requests:,} requests, {spans:,} spans, {now - self._started:.0f} s"
        if self._total_bytes:
            share = min(1.0, position_bytes / self._total_bytes)
            text = f"{share:4.0%} {text}"
            if self._is_terminal:
                full = round(share * BAR_WIDTH)
                text = f"[{'█' * full}{'·' * (BAR_WIDTH - full)}] {text}"
        self._out.write(f"\r\x1b[2K{text}" if self._is_terminal else f"{text}\n")
        self._out.flush()

    def clear(self) -> None:
        if self._is_terminal:
            self._out.write("\r\x1b[2K")
            self._out.flush()
