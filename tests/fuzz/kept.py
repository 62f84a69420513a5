"""The kept corpus: of each target a file of inputs that once reached new code, each as base64,
the shortest first. One file, since a thousand small ones would drown the others.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
MAX_BYTES = 200 * 1024
"""Of all inputs together."""


def read(target: str) -> list[bytes]:
    path = FOLDER / f"{target}.txt"
    return [base64.b64decode(line) for line in path.read_text().split("\n")[:-1]]


def write(target: str, inputs: Iterable[bytes], max_bytes: int) -> None:
    """The shortest of them that fit in `max_bytes`."""
    lines = []
    for content in sorted(set(inputs), key=lambda one: (len(one), one)):
        max_bytes -= len(content)
        if max_bytes < 0:
            break
        lines.append(base64.b64encode(content).decode() + "\n")
    (FOLDER / f"{target}.txt").write_text("".join(lines))
