"""`make soak`: kill processes again and again during ingest, stop the engine for a minute, and
count what is missing.

The long form of `tests/product/test_durability.py`, made of the same parts: real clients, the real
product, `kill -9`. Prints a line a round and ends with code 1 when an acknowledged span is gone or
`manage.py reconcile` finds that figures do not add up.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.product import processes, running
from tests.product.running import Product
from tests.product.senders import Senders
from tests.product.test_durability import stored_span_ids
from tests.product.waiting import until


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="kills (default 10)")
    parser.add_argument("--seconds", type=float, default=6, help="of ingest before each kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--role",
        choices=("all", "engine", "receiver", "web"),
        default="all",
        help="what is killed: everything at once, or one process under a product that runs on",
    )
    parser.add_argument(
        "--outage", type=float, default=60, help="seconds without the engine at the end (0: none)"
    )
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="traceroot-soak-") as folder:
        directory = Path(folder) / "data"
        if options.role == "all":
            code = _campaign(directory, options.rounds, options.seconds, chance)
        else:
            code = _of_one(directory, options.role, options.rounds, options.seconds, chance)
        return code or (_outage(directory, options.outage) if options.outage else 0)


def _campaign(directory: Path, rounds: int, seconds: float, chance: random.Random) -> int:
    acknowledged: dict[str, set[str]] = {}
    lost = 0
    for number in range(1, rounds + 1):
        product = running.start(directory)
        api_key = _key(product, directory)
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


def _of_one(directory: Path, role: str, rounds: int, seconds: float, chance: random.Random) -> int:
    """Kills of one process; the supervisor starts it again, and clients send on."""
    product = running.start(directory)
    senders = Senders([product.otlp_url, product.url], _key(product, directory))
    try:
        senders.start(threads=4)
        for number in range(1, rounds + 1):
            time.sleep(seconds * chance.uniform(0.3, 1.0))
            os.kill(until(lambda: product.pid(role), role, seconds=60), signal.SIGKILL)
            print(f"kill {number} of {role}: {len(senders.acknowledged)} acknowledged", flush=True)
        time.sleep(seconds)
        return _settled(product, senders)
    finally:
        senders.stop()
        product.destroy()


def _outage(directory: Path, seconds: float) -> int:
    """The engine is away under load; what was acknowledged meanwhile arrives after."""
    product = running.start(directory)
    senders = Senders([product.otlp_url], _key(product, directory))
    try:
        senders.start(threads=4)
        time.sleep(3)
        os.kill(product.process.pid, signal.SIGSTOP)  # so that it does not start it again
        os.kill(product.pid("engine"), signal.SIGKILL)
        before = len(senders.acknowledged)
        time.sleep(seconds)
        during = len(senders.acknowledged) - before
        os.kill(product.process.pid, signal.SIGCONT)
        print(f"engine away for {seconds:g} s: {during} requests acknowledged", flush=True)
        time.sleep(3)
        return _settled(product, senders)
    finally:
        senders.stop()
        product.destroy()


def _settled(product: Product, senders: Senders) -> int:
    """Wait for the spool to drain, then count and reconcile."""
    senders.stop()
    began = time.monotonic()
    missing = -1
    while missing and time.monotonic() - began < 300:
        time.sleep(1)
        stored = stored_span_ids(product)
        known = senders.acknowledged.items()
        missing = sum(len(ids - stored.get(trace_id, set())) for trace_id, ids in known)
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 1))
    done = product.manage("reconcile", "--until", now)
    print(
        f"{missing} of {sum(map(len, senders.acknowledged.values()))} acknowledged spans missing "
        f"after {time.monotonic() - began:.0f} s, {len(senders.unanswered)} requests unanswered, "
        f"unexpected answers {senders.unexpected}\n{done.stdout}{done.stderr}",
        flush=True,
    )
    return 1 if missing or done.returncode or senders.unexpected else 0


def _key(product: Product, directory: Path) -> str:
    """Shown at the first start only, so kept beside the directory."""
    kept = directory.with_name("api-key")
    if product.api_key:
        kept.write_text(product.api_key)
    return kept.read_text()


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
