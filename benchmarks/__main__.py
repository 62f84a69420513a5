"""`python -m benchmarks [NAME …]`: starts the product in a directory of its own and measures it.

Figures are printed beside something that ran in the same minute; `--list` says what there is. The
exit code is 1 when a promised figure was missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

NAMES = ("open_trace", "live_latency", "ingest", "ingest_indexed", "acks", "phoenix", "reads")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all")
    parser.add_argument("--list", action="store_true", help="say what there is and stop")
    options = parser.parse_args()
    if options.list:
        for name in NAMES:
            print(f"{name}: {_said_of(name)}")
        return 0
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory(prefix="traceroot-benchmarks-") as directory:
        return _measure(options.names or NAMES, Path(directory) / "data")


def _measure(names: list[str] | tuple[str, ...], data_dir: Path) -> int:
    _read_settings_of(data_dir)
    from benchmarks import figures
    from tests.product import running

    product = running.start(data_dir)
    missed = 0
    try:
        print(f"Product ready after {product.started_seconds:.1f} s", flush=True)
        for name in names:
            print(f"\n{name}, {figures.load()}", flush=True)
            began = time.monotonic()
            found = import_module(f"benchmarks.{name}").run(product)
            figures.show(found)
            missed += sum(not figure.is_met for figure in found)
            print(f"  took {time.monotonic() - began:.0f} s, {figures.load()}", flush=True)
    finally:
        product.destroy()
    return 1 if missed else 0


def _said_of(name: str) -> str:
    said = import_module(f"benchmarks.{name}").__doc__ or ""
    return " ".join(said.split())


def _read_settings_of(data_dir: Path) -> None:
    """So that modules of ours that run here reach the store of the product that is measured."""
    os.environ["TRACEROOT_DATA_DIR"] = str(data_dir)
    os.environ["DJANGO_SETTINGS_MODULE"] = "traceroot_site.settings"
    import django

    django.setup()


if __name__ == "__main__":
    sys.exit(main())
