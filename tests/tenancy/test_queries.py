"""The third belt: every query of the trace store names its project, or is on the system's list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

PREDICATE = re.compile(r"\bproject_id\s*=\s*\{project_id:UUID\}")
TABLE = re.compile(r"\b(?:FROM|JOIN)\s+([a-z_]+)\b(?!\s*\()", re.IGNORECASE)
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def files() -> list[Path]:
    return sorted((Path(settings.BASE_DIR) / "traces" / "store" / "queries").glob("**/*.sql"))


def system_files() -> set[str]:
    from traces.store.system import QUERY_FILES

    return set(QUERY_FILES)


def statement(file: Path) -> str:
    return COMMENT.sub(" ", file.read_text())


def our_tables() -> set[str]:
    folder = Path(settings.BASE_DIR) / "traces" / "store" / "migrations"
    text = "\n".join(COMMENT.sub(" ", file.read_text()) for file in folder.glob("*.sql"))
    return set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?([a-z_]+)", text))


def test_there_are_queries_and_tables() -> None:
    assert files()
    assert {"spans", "traces"} <= our_tables()


@pytest.mark.parametrize("file", files(), ids=lambda file: file.stem)
def test_a_query_reads_one_project(file: Path) -> None:
    if file.stem in system_files():
        return
    text = statement(file)
    reads = [name for name in TABLE.findall(text) if name in our_tables()]
    assert reads, "it reads none of our tables; is it in use?"
    # One predicate a table: a subquery or a join without its own reads everybody's rows.
    assert len(PREDICATE.findall(text)) >= len(reads), f"reads {reads}"


def test_the_list_of_the_system_reader_names_only_files_that_exist() -> None:
    assert system_files() <= {file.stem for file in files()}


def test_only_the_system_reader_uses_the_files_on_its_list() -> None:
    package = Path(settings.BASE_DIR) / "traces"
    users = {
        (source.relative_to(package).as_posix(), name)
        for source in package.glob("**/*.py")
        for name in system_files()
        if f'"{name}"' in source.read_text()
    }
    assert {source for source, _ in users} <= {"store/system.py"}


def test_no_query_takes_text_of_a_user() -> None:
    """Two slots take literals of our code; everything else is a typed parameter."""
    slots = re.compile(r"\{([a-z_]+)\}")
    wrong = {file.stem: slots.findall(statement(file)) for file in files()}
    assert not {name: found for name, found in wrong.items() if set(found) - {"filter", "value"}}
