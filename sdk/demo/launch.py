"""Runs jobs of one demo agent from its own checkout; started by `runs` as a process of its own.

The working directory is the checkout, so stack frames and the commit on the spans are those of the
agent's repository. Jobs come as JSON on standard input; one line a finished job goes to standard
output. The agent exports by the ordinary OTLP exporter and its environment variables.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from sdk.demo.retiming import RetimedExporter, Retiming

NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. `stretch` is shown time per real time; jobs without an end happen live."""

    agent: str
    service: str
    stretch: float
    jobs: list[dict[str, Any]]


def main() -> int:
    order = Order(**json.load(sys.stdin))
    sys.path.insert(0, ".")
    telemetry = importlib.import_module("puffin.telemetry")
    job_type = importlib.import_module("puffin.job").Job
    handle = importlib.import_module(f"puffin.{order.agent}").handle
    _warm_up(importlib.import_module("puffin.models").client())
    retiming = Retiming(order.stretch)
    is_live = all(job.get("start_ns") is None for job in order.jobs)
    exporter = None if is_live else RetimedExporter(retiming, OTLPSpanExporter())
    provider = telemetry.configure(order.service, exporter, () if is_live else (retiming,))
    for job in order.jobs:
        start_ns = job.pop("start_ns")
        retiming.shown_ns = start_ns or time.time_ns()
        job["tags"] = tuple(job["tags"])
        print(json.dumps(_outcome(handle, job_type(**job))), flush=True)
    return 0 if _flush(provider) else 1


def _outcome(handle: Any, job: Any) -> dict[str, str]:
    """A failed run is a normal thing here: it is what the demo shows."""
    try:
        return {"session": job.session, "answer": handle(job)}
    except Exception as error:
        traceback.print_exc()
        return {"session": job.session, "error": f"{type(error).__name__}: {error}"}


def _warm_up(client: Any) -> None:
    """The client imports half of itself at its first call; stretched, that would be seconds."""
    client.models.list()
    for chunk in client.chat.completions.create(
        model="demo", messages=[{"role": "user", "content": "warm up"}], stream=True
    ):
        del chunk


def _flush(provider: Any) -> bool:
    is_flushed = bool(provider.force_flush(30_000))
    provider.shutdown()
    return is_flushed


if __name__ == "__main__":
    raise SystemExit(main())
