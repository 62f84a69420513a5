"""Golden files: shapes that others read, reviewed in the diff.

`TRACEROOT_WRITE_GOLDEN=1 pytest …` writes what the code gives now; without it a difference fails.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    """Compares `text` with `tests/golden/<name>`, or writes it there."""
    file = DIRECTORY / name
    if os.environ.get("TRACEROOT_WRITE_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return
    assert file.exists(), f"{file} is missing; write it with TRACEROOT_WRITE_GOLDEN=1"
    assert text == file.read_text(), f"{name} changed; if it is meant, TRACEROOT_WRITE_GOLDEN=1"


def check_json(name: str, value: Any) -> None:
    check(name, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
