"""Which failures are the same failure: a stable hash over what does not change between occurrences.

Numbers, ids, quoted values, addresses and paths are masked, so "seat 12 of order 4417 not found"
and "seat 3 of order 9 not found" are one. Over-grouping hides problems, so everything else counts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"https?://\S+"), "<url>"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"), "<email>"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"(?:/[\w.@-]+){2,}"), "<path>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<id>"),
    (re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z_])\w+\b"), "<id>"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "<n>"),
    (re.compile(r"\s+"), " "),
)


def mask(text: str) -> str:
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text.strip()[:300]


def fingerprint(detector_slug: str, parts: Iterable[str]) -> str:
    """32 hex characters."""
    joined = "\x1f".join((detector_slug, *(mask(part) for part in parts)))
    return hashlib.sha256(joined.encode()).hexdigest()[:32]
