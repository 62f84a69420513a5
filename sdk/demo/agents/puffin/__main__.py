"""Runs one agent on one message: `python -m puffin support "Where is my order PP-1042?"`."""

import importlib
import sys

from . import telemetry
from .job import Job


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: python -m puffin support|research|coding MESSAGE", file=sys.stderr)
        return 2
    agent, message = sys.argv[1:]
    provider = telemetry.configure(f"puffin-{agent}")
    try:
        print(importlib.import_module(f"puffin.{agent}").handle(Job(message=message)))
    finally:
        provider.shutdown()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
