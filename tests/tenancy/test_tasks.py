"""Every Celery task says how far it reaches. A new task is added here with its scope."""

from __future__ import annotations

import inspect

from tests.tenancy.places import OUR_APPS

TASKS = {
    "traces.settle": "all projects, by the SystemReader: quiet traces of the last minutes",
    "traces.settle_all": "all projects, by the SystemReader: quiet traces of the last days",
    "traces.estimate_tokens": "all projects, by the SystemReader; then portions of one project",
    "traces.drain_spool": "all projects, in turns: spooled requests, each of one project",
    "traces.keep_ledger": "no project: how long the ledger's tables keep their rows",
    "traces.delete": "claimed deletion rows, each of one project",
    "traces.keep_retention": "all projects with rules, each asked for by itself; old tombstones",
    "detectors.sweep": "all projects, by the SystemReader; each run row belongs to one project",
    "detectors.run_pending": "claimed run rows, each of one project",
    "detectors.send_alerts": "claimed delivery rows, each of one project",
    "debugging.run_pending": "claimed session rows, each of one project",
}


def registered() -> set[str]:
    from traceroot_site.celery import app

    app.loader.import_default_modules()
    return {name for name in app.tasks if not name.startswith("celery.")}


def test_every_task_is_on_the_list() -> None:
    unknown = registered() - set(TASKS)
    assert not unknown, f"say in TASKS how far they reach: {unknown}"


def test_the_list_names_only_tasks_that_exist() -> None:
    assert set(TASKS) <= registered()


def test_every_task_is_named_for_its_app() -> None:
    assert {name.partition(".")[0] for name in registered()} <= set(OUR_APPS)


def test_the_schedule_runs_only_known_tasks() -> None:
    from traceroot_site.schedule import PERIODIC

    assert {entry.task for entry in PERIODIC} <= registered()


def test_tasks_take_ids_by_keyword_or_nothing() -> None:
    from traceroot_site.celery import app

    wrong = []
    for name in registered():
        for parameter in inspect.signature(app.tasks[name].run).parameters.values():
            if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
                wrong.append(f"{name}({parameter.name})")
    assert not wrong
