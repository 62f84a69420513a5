"""`python -m tests.fuzz`: each target under Atheris for a while, from the kept corpus on.

What it finds is printed and kept in a folder that is named; then it ends with code 1. What reaches
new code goes into `tests/fuzz/corpus`, which `make test` replays and which stays small.
Atheris (coverage-guided, for CPython up to 3.13) is installed by `make soak`.
"""

from __future__ import annotations

import tests.environment  # noqa: F401  before Django reads its settings

import argparse  # isort: skip
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import django

_LONGEST_BYTES = 8_192
_HANG_SECONDS = 10
_MEMORY_MIB = 1_500


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help="default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument("--findings", type=Path, help="where what fails is kept")
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("Fuzzing needs Atheris; `make soak` installs it.", file=sys.stderr)
        return 2
    os.environ["DJANGO_SETTINGS_MODULE"] = "traceroot_site.settings"
    django.setup()
    from tests.fuzz import kept, seeds, targets

    findings = options.findings or Path(tempfile.mkdtemp(prefix="traceroot-fuzz-"))
    findings.mkdir(parents=True, exist_ok=True)
    names = options.targets or list(targets.TARGETS)
    failed = []
    with tempfile.TemporaryDirectory(prefix="traceroot-fuzz-") as folder:
        words = Path(folder) / "words"
        words.write_text(seeds.dictionary())
        for name in names:
            work = Path(folder) / name
            _write(work, (*seeds.of(name), *kept.read(name)))
            code = _fuzz(name, work, words, findings, options.seconds)
            if code:
                failed.append(name)
            else:
                share = kept.MAX_BYTES // len(targets.TARGETS)
                kept.write(name, [path.read_bytes() for path in work.iterdir()], share)
    if failed:
        print(f"Failed: {', '.join(failed)}. Inputs and logs are in {findings}.")
    return 1 if failed else 0


def _write(folder: Path, inputs: Iterable[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for content in inputs:
        (folder / hashlib.sha1(content).hexdigest()).write_bytes(content)


def _fuzz(name: str, work: Path, words: Path, findings: Path, seconds: int) -> int:
    log = findings / f"{name}.log"
    limits = [
        f"-max_total_time={seconds}", f"-max_len={_LONGEST_BYTES}", f"-timeout={_HANG_SECONDS}",
        f"-rss_limit_mb={_MEMORY_MIB}", f"-dict={words}", f"-artifact_prefix={findings}/{name}-",
        "-print_final_stats=1",
    ]  # fmt: skip
    with log.open("wb") as sink:
        done = subprocess.run(_command(name, *limits, str(work)), stderr=sink, check=False)
    said = log.read_text(errors="replace")
    runs = next(iter(said.rpartition("stat::number_of_executed_units:")[2].split()), "?")
    outcome = "failed" if done.returncode else "nothing found"
    print(f"{name}: {outcome}, {runs} runs", flush=True)
    if done.returncode:
        print(said[said.find("=== Uncaught Python exception") :][:3_000])
    else:
        log.unlink()
    return done.returncode


def _command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.fuzz.one", name, *arguments]


if __name__ == "__main__":
    sys.exit(main())
