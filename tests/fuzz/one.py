"""One target under Atheris in a process of its own: `python -m tests.fuzz.one TARGET [libFuzzer's
options and folders]`. Started by `python -m tests.fuzz`.
"""

from __future__ import annotations

import sys

import tests.environment  # noqa: F401  before Django reads its settings

import atheris  # isort: skip

import django


def main() -> None:
    with atheris.instrument_imports(include=["traces", "debugging", "detectors"]):
        django.setup()
        from tests.fuzz.targets import TARGETS
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
