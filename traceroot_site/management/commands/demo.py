"""`manage.py demo`: fills a project "Demo" with runs of three small agents, executed for real."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
import uuid
from argparse import ArgumentParser
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts import api_keys, provisioning
from accounts.models import ApiKey, Project, User
from detectors import defaults
from detectors.models import Detector
from sdk.demo import history, plan, runs
from sdk.demo.commits import REFUND_CULPRIT
from traceroot_site import demo
from traceroot_site.up import terminal
from traces.store.engine import parent

ORGANIZATION = PROJECT = "Demo"
# Runs, how many processes at a time, and what is said before: live runs are slow on purpose.
_PHASES = {
    "past": (plan.PAST, 3, f"{len(plan.PAST)} runs of the last day follow"),
    "live": (plan.LIVE, 2, f"{len(plan.LIVE)} runs happen live now"),
}
REPOSITORY_NAME = "puffin-and-pine/agents"
SHOWN_ANSWER = 60


class Command(BaseCommand):
    help = "Fill a demo project; the product must be running. The agents' model is scripted."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="the running product")
        parser.add_argument("--model-url", default="", help="a scripted model that runs already")
        parser.add_argument("--again", action="store_true", help="run the agents once more")
        parser.add_argument("--parent-pid", type=int, help="stop when this process has ended")

    def handle(self, *args: Any, **options: Any) -> None:
        # As an exception, so that the agents are stopped and their key is revoked on the way out.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        if options["parent_pid"]:
            parent.watch(options["parent_pid"], lambda: os.kill(os.getpid(), signal.SIGTERM))
        directory = demo.directory(settings.DATA_DIR)
        owner = User.objects.filter(is_superuser=True).order_by("created_at", "pk").first()
        if owner is None:
            raise CommandError("There is no administrator yet. Start the product once: make run.")
        progress = _Progress(directory / "progress.json")
        known = progress.project_id
        if known and not Project.objects.filter(pk=known).exists():
            shutil.rmtree(directory, ignore_errors=True)  # the history is that of its runs
        if options["again"]:
            progress.forget()
        phases = [name for name in _PHASES if name not in progress.finished]
        if not phases:
            self._say_where(options["url"], known, "Demo: filled already (--again adds runs).")
            return
        provision = provisioning.provide_project(ORGANIZATION, PROJECT, owner.email)
        try:
            self._fill(directory, provision, options, phases, progress)
        except (history.HistoryError, runs.RunsFailed, demo.ModelServerFailed) as error:
            raise CommandError(str(error)) from error
        finally:
            _retire(provision.api_key)
        self._say_where(options["url"], provision.project_id, "Demo: all runs are in.")

    def _fill(
        self,
        directory: Path,
        provision: provisioning.Provision,
        options: dict[str, Any],
        phases: list[str],
        progress: _Progress,
    ) -> None:
        moment = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        repository = directory / "repository"
        history.build(repository, moment)
        self._say(f"Demo: the agents' source with its history is in {repository}")
        self._add_repository(provision, repository)
        if settings.JUDGE_MODEL == demo.JUDGE_MODEL:
            _judge_every_trace(provision.project_id)
        with ExitStack() as stack:
            model_url = options["model_url"]
            if not model_url:
                model = demo.start_model_server()
                stack.callback(model.stop)
                model_url = model.url
            places = runs.Places(
                repository, directory / "checkouts", model_url, options["url"], provision.api_key
            )
            for phase in phases:
                chosen, processes, text = _PHASES[phase]
                self._say_where(options["url"], provision.project_id, f"Demo: {text}.")
                runs.execute(chosen, places, time.time_ns(), self._report, processes=processes)
                progress.finish(phase, provision.project_id)

    def _add_repository(self, provision: provisioning.Provision, repository: Path) -> None:
        """A refused location leaves a demo without root causes, which is still a demo."""
        repositories = import_module("debugging.repositories")
        project = Project.objects.get(pk=provision.project_id)
        try:
            repositories.add(project, name=REPOSITORY_NAME, location=str(repository))
        except repositories.RepositoryNameTaken:
            return
        except repositories.RepositoryError as error:
            self._say(f"Demo: the repository was not added, so no root causes are found. {error}")

    def _report(self, finished: runs.Finished) -> None:
        said = finished.error or finished.answer.replace("\n", " ")
        mark = "failed" if finished.error else "done"
        self._say(f"  {finished.run.agent:<9}{mark:<7}{said[:SHOWN_ANSWER]}")

    def _say_where(self, url: str, project_id: object, text: str) -> None:
        self._say(
            f"{text} Open {url}/projects/{project_id}/traces/ and look for the refund that fails "
            f"with KeyError: “Find root cause” should name the commit “{REFUND_CULPRIT}”."
        )

    def _say(self, text: str) -> None:
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except BrokenPipeError:
            terminal.drop(sys.stdout)  # the runs go on, and the pages show them


class _Progress:
    """Which phases are done and for which project, in a file beside the demo's repository."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def finished(self) -> list[str]:
        return [str(phase) for phase in self._read().get("finished", [])]

    @property
    def project_id(self) -> str:
        return str(self._read().get("project_id", ""))

    def finish(self, phase: str, project_id: uuid.UUID) -> None:
        state = {"project_id": str(project_id), "finished": [*self.finished, phase]}
        self._file.write_text(json.dumps(state))

    def forget(self) -> None:
        self._file.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._file.read_text()))
        except (OSError, ValueError):
            return {}


def _judge_every_trace(project_id: uuid.UUID) -> None:
    """The scripted judge costs nothing, and a sample could miss the run that it is here for."""
    defaults.ensure(project_id)
    judges = Detector.objects.for_project(project_id).filter(kind=Detector.Kind.JUDGE)
    judges.update(sample_rate=1.0)


def _retire(raw_key: str) -> None:
    """The key was for the demo's agents only."""
    verified = api_keys.verify(raw_key)
    if verified is not None:
        api_keys.revoke(ApiKey.objects.get(pk=verified.key_id))
