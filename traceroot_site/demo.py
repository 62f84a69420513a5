"""`manage.py up --demo`: the scripted model beside the product, the demo's runs once it answers.

The model server has to run before web starts, since the judge's settings name its address. The runs
themselves are `manage.py demo`, a process of its own, so that a failure there stops nothing else.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from traceroot_site.up.children import Child
    from traceroot_site.up.supervisor import Plan

ROOT = Path(__file__).resolve().parent.parent
JUDGE_MODEL = "openai/demo-judge"
JUDGE_PACE = 0.1
STOP_SECONDS = 2.0


class ModelServerFailed(Exception):
    """The scripted model did not start; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class ModelProcess:
    """The scripted model in a process of its own, which ends with this one. `url` ends in /v1."""

    url: str
    process: subprocess.Popen[str]

    def stop(self) -> None:
        _stop(self.process)


def directory(data_dir: Path) -> Path:
    """Where the demo keeps its repository and checkouts."""
    return data_dir / "demo"


def start_model_server(port: int = 0, script: str = "demo") -> ModelProcess:
    """Starts the scripted model on loopback; raises `ModelServerFailed`."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "sdk.demo.model_server", "--exit-with-parent"),
            *("--port", str(port), "--script", script),
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,  # Ctrl-C is for the supervisor, which stops it last
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    _, _, url = line.rpartition(" on ")
    if not url.startswith("http"):
        _stop(process)
        raise ModelServerFailed(f"The scripted model did not start: {line.strip() or 'no message'}")
    return ModelProcess(url.strip(), process)


def demo_environment(model_url: str, judge_model: str = "") -> dict[str, str]:
    """The judge's settings for the product's processes; a judge that the operator chose stays."""
    if judge_model:
        return {}
    root, _, version = model_url.rpartition("/")
    return {
        "TRACEROOT_JUDGE_MODEL": JUDGE_MODEL,
        # The waiting of the script is for agents that are watched, not for judging forty runs.
        "TRACEROOT_JUDGE_BASE_URL": f"{root}/pace/{JUDGE_PACE}/{version}",
        "TRACEROOT_JUDGE_API_KEY": "demo",
    }


def plan(given: Plan) -> Plan:
    """The supervisor's plan with the demo in it; the model server runs from now on."""
    model = start_model_server()
    atexit.register(model.stop)
    environment = {
        **(given.child_environment or {}),
        **demo_environment(model.url, settings.JUDGE_MODEL),
    }

    def run_demo(url: str) -> Child | None:
        process = subprocess.Popen(
            [
                *(sys.executable, str(ROOT / "manage.py"), "demo"),
                *("--url", url, "--model-url", model.url, "--parent-pid", str(os.getpid())),
            ],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
        atexit.register(_stop, process)
        return None

    return replace(given, child_environment=environment, after_start=run_demo)


def _stop(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
