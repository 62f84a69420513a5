"""Imports, foreign keys and calls by name point down only; there are no signals of our own."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings

from tests.tenancy.places import OUR_APPS

HEIGHT = {
    "accounts": 0,
    "integrations": 1,
    "traces": 1,
    "detectors": 2,
    "debugging": 3,
    "traceroot_site": 4,
}
BY_NAME = {"send_task", "signature", "get_model", "import_module", "import_string", "ForeignKey"}
BY_NAME |= {"OneToOneField", "ManyToManyField"}


def may_use(user: str, used: str) -> bool:
    return user == used or HEIGHT[used] < HEIGHT[user]


def sources() -> Iterator[tuple[str, Path, ast.Module]]:
    for app in OUR_APPS:
        for file in (Path(settings.BASE_DIR) / app).glob("**/*.py"):
            yield app, file, ast.parse(file.read_text())


def name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def test_every_app_has_a_height() -> None:
    assert set(HEIGHT) == set(OUR_APPS)


def test_imports_point_down() -> None:
    checked = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_foreign_keys_point_down() -> None:
    wrong = []
    for app in OUR_APPS:
        for model in apps.get_app_config(app).get_models():
            for field in model._meta.get_fields():
                if field.auto_created or not field.is_relation or field.related_model is None:
                    continue
                target = field.related_model._meta.app_label
                if target in HEIGHT and not may_use(app, target):
                    wrong.append(f"{model._meta.label}.{field.name} → {target}")
    assert not wrong


def test_what_is_called_by_name_is_below() -> None:
    wrong = []
    for app, file, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or name_of(node.func) not in BY_NAME or not node.args:
                continue
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                target = first.value.partition(".")[0]
                if target in HEIGHT and not may_use(app, target):
                    wrong.append(f"{file.name}:{node.lineno} {first.value}")
            elif name_of(node.func) == "send_task":
                wrong.append(f"{file.name}:{node.lineno} send_task of a computed name")
    assert not wrong


def test_there_are_no_signals_of_our_own() -> None:
    wrong = []
    for _, file, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                ("django.dispatch", "django.db.models.signals")
            ):
                wrong.append(f"{file}:{node.lineno}")
    assert not wrong
