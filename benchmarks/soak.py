"""`make soak`: kill every process again and again during ingest, and count what is missing.

The long form of `tests/product/test_durability.py`, made of the same parts: real clients, the real
product, `kill -9`. Prints a line a round and ends with code 1 when an acknowledged span is gone.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.product import processes, running
from tests.product.senders import Senders
from tests.product.test_durability import stored_span_ids


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="kills (default 10)")
    parser.add_argument("--seconds", type=float, default=6, help="of ingest before each kill")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="traceroot-soak-") as folder:
        return _campaign(Path(folder) / "data", options.rounds, options.seconds, chance)


def _campaign(directory: Path, rounds: int, seconds: float, chance: random.Random) -> int:
    acknowledged: dict[str, set[str]] = {}
    api_key = ""
    lost = 0
    for number in range(1, rounds + 1):
        product = running.start(directory)
        api_key = api_key or product.api_key
        senders = Senders([product.otlp_url, product.url], api_key)
        try:
            senders.start(threads=4)
            time.sleep(seconds * chance.uniform(0.3, 1.0))
            processes.kill_all(product.process.pid)
        finally:
            product.destroy()
            senders.stop()
        acknowledged |= senders.acknowledged
        lost = _check(directory, acknowledged)
        print(
            f"round {number}: {len(senders.acknowledged)} requests acknowledged, "
            f"{len(senders.unanswered)} unanswered, unexpected answers {senders.unexpected}, "
            f"{lost} of {sum(map(len, acknowledged.values()))} acknowledged spans missing",
            flush=True,
        )
        if lost or senders.unexpected:
            return 1
    return 0


def _check(directory: Path, acknowledged: dict[str, set[str]]) -> int:
    product = running.start(directory)
    try:
        stored = stored_span_ids(product)
    finally:
        product.stop()
        product.destroy()
    return sum(len(ids - stored.get(trace_id, set())) for trace_id, ids in acknowledged.items())


if __name__ == "__main__":
    sys.exit(main())
