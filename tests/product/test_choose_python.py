"""Which of the installed Pythons the virtual environment takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

CHOOSE = Path(settings.BASE_DIR) / "deploy" / "choose_python.sh"


def chosen(folder: Path, **environment: str) -> str:
    # /usr/bin/python3 is looked at as well: its place is taken by a path that leads nowhere.
    script = CHOOSE.read_text().replace("/usr/bin/python3", "/nowhere/python3")
    ran = subprocess.run(
        ["/bin/bash", "-c", script],
        env={"PATH": f"{folder}", **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return ran.stdout.strip()


def python(folder: Path, name: str, *, fits: bool = True, is_slow: bool = False) -> str:
    """This Python under another name, which answers as one of another version or build would."""
    path = folder / name
    answers = [] if fits else ['if [ "$1" = -c ]; then exit 1; fi']
    answers += ['if [ "$1" = - ]; then exit 1; fi'] if is_slow else []
    body = "\n".join([*answers, f'exec "{os.path.realpath(sys.executable)}" "$@"'])
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_the_first_fast_one_is_taken(tmp_path: Path) -> None:
    assert chosen(tmp_path) == ""
    python(tmp_path, "python3", fits=False)
    assert chosen(tmp_path) == ""
    slow = python(tmp_path, "python3.11", is_slow=True)
    assert chosen(tmp_path) == slow
    other = python(tmp_path, "python", is_slow=True)
    assert chosen(tmp_path) == slow
    assert chosen(tmp_path, PYTHON_FOR_VENV=other) == other
    assert chosen(tmp_path, PYTHON_FOR_VENV="python3") == ""  # which does not fit


def test_a_build_that_binds_its_functions_early_is_fast(tmp_path: Path) -> None:
    """Asked of this Python itself, whichever it is; the answer is the one of its memory map."""
    slow = python(tmp_path, "python3.13", is_slow=True)
    this = python(tmp_path, "python3.12")
    is_shared = sys.platform == "linux" and "libpython" in Path("/proc/self/maps").read_text()
    assert chosen(tmp_path) == (slow if is_shared else this)
