"""After heavy work the process is about as large as before."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.product.running import ROOT

# In a process of its own: what others left behind must not count.
WORK = """
import gc, threading
from traceroot_site.memory_return import MemoryReturn, resident_bytes
from traces.otlp import memory

MIB = 1024**2
memory.restrain()
watch = MemoryReturn()
watch.start()
watch.stop()
gc.disable()  # as in a process that holds so much that a full collection hardly ever comes


def work():
    for _ in range(40):
        node = {"text": [bytes(1000) for _ in range(2000)]}
        node["self"] = node


before = resident_bytes()
threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
grown = resident_bytes() - before
assert grown > 200 * MIB, grown
assert not watch.look(), "not in the middle of the work"
assert watch.look(), "once it has come to rest"
left = resident_bytes() - before
assert left < 30 * MIB, (grown, left)
assert not watch.look(), "not again without growth"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc and glibc's heaps are Linux's")
def test_what_heavy_work_took_is_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORK], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
