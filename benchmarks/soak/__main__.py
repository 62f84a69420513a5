"""`make soak`: kill processes again and again during ingest, take the engine away for a minute, and
count what is missing, doubled, not listed, not judged or does not add up.

Real clients, the real product in both of its shapes, `kill -9`. The short form is
`tests/product/test_durability.py`. Ends with code 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.soak import campaigns, neighbour
from benchmarks.soak.shapes import SHAPES


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--shape", choices=("all", *SHAPES), default="all")
    parser.add_argument("--campaign", choices=("all", "kills", "outage", "neighbour"),
                        default="all")  # fmt: skip
    parser.add_argument("--kills", type=int, default=20, help="of each process (default 20)")
    parser.add_argument("--seconds", type=float, default=2, help="of ingest between two kills")
    parser.add_argument("--outage", type=float, default=60, help="seconds without the engine")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = 0
    for name, shaped in SHAPES.items():
        if options.shape not in ("all", name):
            continue
        for campaign in ("kills", "outage", "neighbour"):
            if options.campaign not in ("all", campaign):
                continue
            with (
                tempfile.TemporaryDirectory(prefix="traceroot-soak-") as folder,
                shaped(Path(folder)) as shape,
            ):
                began = time.monotonic()
                title = f"{shape.name}, {campaign}"
                _say(title)
                chance = random.Random(options.seed)
                if campaign == "kills":
                    said = campaigns.kills(shape, options.kills, options.seconds, chance, _say)
                    tally, bad = str(said), bool(said.wrong)
                elif campaign == "outage":
                    said = campaigns.outage(shape, options.outage, _say)
                    tally, bad = str(said), bool(said.wrong)
                else:
                    tally, bad = neighbour.run(shape)
                wrong += bad
                _say(f"{title}: {tally} ({time.monotonic() - began:.0f} s in all)")
    return 1 if wrong else 0


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
