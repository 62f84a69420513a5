"""Runs the demo's agents against a model server and an OTLP receiver.

One process per agent and release, a few at a time; each reads its checkout, none touches the
product.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from sdk.demo import history
from sdk.demo.plan import ENVIRONMENTS, Run

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
PAST_PACE = 0.05
PROCESS_SECONDS = 300
MINUTE_NS = 60 * 1_000_000_000


class RunsFailed(Exception):
    """An agent's process died or could not deliver; the message holds its last words."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are: `model_url` ends in /v1, `otlp_url` has no path."""

    repository: Path
    checkouts: Path
    model_url: str
    otlp_url: str
    api_key: str


@dataclass(frozen=True, slots=True)
class Finished:
    run: Run
    answer: str
    error: str


def execute(
    runs: Iterable[Run],
    places: Places,
    now_ns: int,
    report: Callable[[Finished], None],
    *,
    processes: int = 3,
    pace: float = PAST_PACE,
) -> int:
    """Runs all of them and returns how many; raises `RunsFailed` when a process did not work.

    `report` is called from several threads, one at a time, as runs finish.
    """
    batches = _batches(runs)
    lock = threading.Lock()

    def told(finished: Finished) -> None:
        with lock:
            report(finished)

    for _, release, _ in batches:
        history.checkout(places.repository, release, places.checkouts / release)
    with ThreadPoolExecutor(processes) as pool:
        waiting = [pool.submit(_run_batch, batch, places, now_ns, told, pace) for batch in batches]
        return sum(one.result() for one in waiting)


Batch = tuple[str, str, list[Run]]


def _batches(runs: Iterable[Run]) -> list[Batch]:
    """Runs by agent and release, longest first; live ones each on their own, as they take time."""
    past = [run for run in runs if run.age_minutes is not None]
    live = [run for run in runs if run.age_minutes is None]
    ordered = sorted(past, key=lambda run: (run.agent, run.release, -(run.age_minutes or 0)))
    grouped = groupby(ordered, key=lambda run: (run.agent, run.release))
    batches = [(agent, release, list(group)) for (agent, release), group in grouped]
    batches += [(run.agent, run.release, [run]) for run in live]
    return sorted(batches, key=lambda batch: -len(batch[2]))


def _run_batch(
    batch: Batch, places: Places, now_ns: int, report: Callable[[Finished], None], pace: float
) -> int:
    agent, release, runs = batch
    is_live = runs[0].age_minutes is None
    order = {
        "agent": agent,
        "service": f"puffin-{agent}",
        "stretch": 1.0 if is_live else 1 / pace,
        "jobs": [_job(run, now_ns) for run in runs],
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "sdk.demo.launch"],
        cwd=places.checkouts / release,
        env=_environment(agent, places, 1.0 if is_live else pace),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    timer = threading.Timer(PROCESS_SECONDS, process.kill)
    timer.start()
    try:
        return _follow(process, order, runs, report)
    finally:
        timer.cancel()
        process.kill()
        process.wait()


def _follow(
    process: subprocess.Popen[str],
    order: dict[str, Any],
    runs: list[Run],
    report: Callable[[Finished], None],
) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    said: list[str] = []
    listener = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    listener.start()
    with process.stdin as stdin:
        json.dump(order, stdin)
    finished = 0
    for run, line in zip(runs, process.stdout, strict=False):
        outcome = json.loads(line)
        report(Finished(run, outcome.get("answer", ""), outcome.get("error", "")))
        finished += 1
    code = process.wait()
    listener.join(5)
    if code or finished < len(runs):
        tail = "".join(said)[-1500:].strip() or f"no message, exit code {code}"
        raise RunsFailed(f"The {order['agent']} agent did not finish its runs: {tail}")
    return finished


def _job(run: Run, now_ns: int) -> dict[str, Any]:
    is_live = run.age_minutes is None
    return {
        "message": run.message,
        "session": run.session,
        "user": run.user,
        "tags": list(run.tags),
        "metadata": dict(run.metadata),
        "start_ns": None if is_live else now_ns - (run.age_minutes or 0) * MINUTE_NS,
    }


def _environment(agent: str, places: Places, pace: float) -> dict[str, str]:
    """The agents' own configuration and nothing of ours: they know no database and no secret."""
    root, _, version = places.model_url.rpartition("/")
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", os.devnull),
        "LC_ALL": "C.UTF-8",
        "NO_PROXY": "*",
        "PYTHONPATH": str(PACKAGE_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENAI_BASE_URL": f"{root}/pace/{pace:g}/{version}",
        "OPENAI_API_KEY": "demo",
        "OTEL_EXPORTER_OTLP_ENDPOINT": places.otlp_url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{places.api_key}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_BSP_SCHEDULE_DELAY": "300",
        "PUFFIN_ENVIRONMENT": ENVIRONMENTS[agent],
    }
